import Testing

@testable import Events

@Suite struct MappingTests {
    private func path(_ text: String) -> [PathStep] {
        text.split(separator: ".").map { part in Int(part).map(PathStep.index) ?? .key(String(part)) }
    }
    private func mapping(_ rules: [(EventField, String, [String: String])]) -> Decoding {
        Decoding { options in
            options.mapping = rules.map {
                FieldRule(field: $0.0, paths: $0.1.split(separator: "|").map { path(String($0)) }, values: $0.2)
            }
        }
    }

    @Test func okta() {
        let decode = mapping([
            (.id, "uuid", [:]), (.time, "published", [:]), (.user, "actor.alternateId", [:]),
            (.type, "eventType", ["user.session.start": "login", "*": "ignore"]),
            (.outcome, "outcome.result", ["SUCCESS": "success", "*": "failure"]), (.ip, "client.ipAddress", [:]),
            (.country, "client.geographicalContext.country", ["Norway": "NO"]),
            (.latitude, "client.geographicalContext.geolocation.lat", [:]),
            (.userAgent, "client.userAgent.rawUserAgent", [:]),
            (.session, "authenticationContext.externalSessionId", [:]),
        ])
        let record = """
            {"uuid":"u-1","published":"2026-11-23T10:00:00.123Z","eventType":"user.session.start",
            "actor":{"id":"00u1","alternateId":"alice@example.com"},"outcome":{"result":"FAILURE","reason":"INVALID_CREDENTIALS"},
            "client":{"ipAddress":"203.0.113.9","userAgent":{"rawUserAgent":"Mozilla/5.0"},
            "geographicalContext":{"country":"Norway","geolocation":{"lat":"59.91","lon":10.75}}},
            "authenticationContext":{"externalSessionId":"trs1"}}
            """
        #expect(decode(record).isEvent)
        #expect(decode.event.type == .login)
        #expect(decode.event.outcome == .failure)
        #expect(decode.event.user.string == "alice@example.com")
        #expect(decode.event.country == 0x4E4F)
        #expect(decode.event.latitude == 59.91)
        #expect(decode("{\"eventType\":\"app.oauth2.token\"}").isIgnored)
    }

    @Test func entra() {
        let decode = mapping([
            (.id, "id", [:]), (.time, "createdDateTime", [:]), (.user, "userPrincipalName", [:]), (.tenant, "tenantId", [:]),
            (.outcome, "status.errorCode", ["0": "success", "*": "failure"]), (.ip, "ipAddress", [:]),
            (.country, "location.countryOrRegion", [:]),
            (.amr, "authenticationDetails.0.authenticationMethod", ["Password": "pwd"]), (.type, "none", [:]),
        ])
        let record = """
            {"id":"66ea","createdDateTime":"2026-11-23T10:00:00Z","userPrincipalName":"a@x.com","tenantId":null,
            "status":{"errorCode":0},"ipAddress":"2001:db8::1","location":{"countryOrRegion":"no"},
            "authenticationDetails":[{"authenticationMethod":"Password"}]}
            """
        #expect(decode(record).rejection?.reason == .missingField)
        let typed = Decoding { options in
            options.type = .login
            options.mapping = decode.rules
        }
        #expect(typed(record).isEvent)
        #expect(typed.event.outcome == .success)
        #expect(typed.event.amr == AuthenticationMethods(name: "pwd"))
        #expect(typed.event.tenant.isEmpty)
    }

    @Test func enrolmentsOfAList() {
        func methods(_ record: String) -> ChallengeMethods? {
            let decode = mapping([
                (.id, "id", [:]), (.time, "time", [:]), (.user, "user", [:]), (.type, "none", [:]),
                (.enrolments, "factors", ["signed_nonce": "biometric", "token:software:totp": "totp"]),
            ])
            let typed = Decoding { options in
                options.type = .erasure
                options.mapping = decode.rules
            }
            #expect(typed(record).isEvent)
            return typed.event.enrolments
        }
        let head = #"{"id":"e","time":"2026-11-23T10:00:00Z","user":"u""#
        #expect(methods(head + #","factors":["signed_nonce","token:software:totp","sms"]}"#) == [.biometric, .totp])
        #expect(methods(head + #","factors":"push"}"#) == .push)
        #expect(methods(head + #","factors":[]}"#) == [])
        #expect(methods(head + "}") == nil)
    }

    @Test func keycloak() {
        let decode = mapping([
            (.id, "id", [:]), (.time, "time", [:]), (.user, "userId", [:]), (.tenant, "realmId", [:]),
            (.session, "sessionId", [:]), (.ip, "ipAddress", [:]),
            (.type, "type", ["LOGIN": "login", "LOGIN_ERROR": "login", "*": "ignore"]),
            (.outcome, "type", ["LOGIN": "success", "LOGIN_ERROR": "failure", "*": ""]),
        ])
        let record = """
            {"id":7,"time":1795428000123,"type":"LOGIN","realmId":"acme","userId":"f1","sessionId":null,"ipAddress":"10.0.0.1"}
            """
        #expect(decode(record).isEvent)
        #expect(decode.event.id.string == "7")
        #expect(decode.event.time.milliseconds == 1_795_428_000_123)
        #expect(!decode.event.session.isPresent)
    }

    @Test func cloudTrail() {
        let decode = mapping([
            (.id, "eventID", [:]), (.time, "eventTime", [:]), (.user, "userIdentity.arn|userIdentity.principalId", [:]),
            (.type, "eventName", ["ConsoleLogin": "login", "*": "action"]), (.action, "eventName", [:]),
            (.outcome, "responseElements.ConsoleLogin", ["Success": "success", "Failure": "failure"]),
            (.ip, "sourceIPAddress", [:]),
        ])
        let record = """
            {"eventID":"e","eventTime":"2026-11-23T10:00:00Z","eventName":"PutObject","sourceIPAddress":"s3.amazonaws.com",
            "userIdentity":{"arn":null,"principalId":"AIDA"},"responseElements":null}
            """
        #expect(decode(record).isEvent)
        #expect(decode.event.type == .action)
        #expect(decode.event.action.string == "PutObject")
        #expect(decode.event.user.string == "AIDA")
        #expect(!decode.event.ip.isPresent)
        #expect(decode("{\"userIdentity\":{},\"userIdentity\":{}}").rejection?.reason == .duplicateKey)
    }
}

/// What kinds of factor methods are (NIST SP 800-63B-4 section 2: something one knows, has, or is).
extension AuthenticationMethods {
    private static func set(_ names: [String]) -> AuthenticationMethods {
        names.reduce(into: []) { $0.formUnion(AuthenticationMethods(name: $1) ?? []) }
    }

    static let knowledge = set(["pwd", "pin", "kba"])
    static let possession = set(["hwk", "swk", "sc", "pop", "otp", "sms", "tel", "mca"])
    static let inherence = set(["face", "fpt", "iris", "retina", "vbm"])
    static let several = set(["mfa"])
    /// Integrated sign-on: one factor, but which is not said.
    static let unsaid = set(["wia"])

    /// How many different kinds of factor they are: two passwords are one. 0 where none of them is a factor; 2 at least where
    /// they say there were several without saying which.
    public var factorKinds: Int {
        var kinds = (isDisjoint(with: Self.knowledge) ? 0 : 1) + (isDisjoint(with: Self.possession) ? 0 : 1)
            + (isDisjoint(with: Self.inherence) ? 0 : 1)
        if kinds == 0 && !isDisjoint(with: Self.unsaid) { kinds = 1 }
        return isDisjoint(with: Self.several) ? kinds : max(kinds, 2)
    }
}

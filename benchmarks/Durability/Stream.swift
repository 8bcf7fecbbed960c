import Events
import Glibc

/// Events of many users, each a function of its offset alone, so that any stretch can be read again without being kept.
/// The first `users` events are one of each user; after that users are drawn evenly or by Zipf's law. Everybody stays in
/// one session at one place on one device: what is measured is state, not risk.
struct Stream {
    enum Access: String { case uniform, zipf }

    let users: Int
    let access: Access
    /// Events a second of event time.
    let rate: Int
    private let start: Int64 = 1_767_225_600_000

    func user(at offset: Int64) -> Int {
        guard offset >= Int64(users) else { return Int(offset) }
        switch access {
        case .uniform: return Int(Self.mix(UInt64(offset)) % UInt64(users))
        case .zipf:
            let fraction = Double(Self.mix(UInt64(offset)) >> 11) / Double(1 << 53)
            return min(users, Int(pow(Double(users + 1), fraction))) - 1
        }
    }

    /// The part of all events that are the user's.
    func share(of user: Int) -> Double {
        switch access {
        case .uniform: 1 / Double(users)
        case .zipf: (log(Double(user + 2)) - log(Double(user + 1))) / log(Double(users + 1))
        }
    }

    /// Appends one event of about 350 bytes.
    func append(_ offset: Int64, to buffer: inout OutputBuffer) -> (key: Range<Int>, value: Range<Int>) {
        let user = user(at: offset)
        let traits = Self.mix(UInt64(user) ^ 0x7573_6572)
        let first = buffer.count
        buffer.append("{\"id\":\"01J8ZQ4T5WX6M2N3P4R5S6T7-")
        decimal(UInt64(offset), &buffer)
        buffer.append("\",\"type\":\"")
        let isLogin = offset < Int64(users) || Self.mix(UInt64(offset) ^ 0x6C6F67) % 13 == 0
        buffer.append(isLogin ? "login\",\"outcome\":\"success\",\"time\":" : "action\",\"action\":\"")
        if !isLogin {
            buffer.append(Self.actions[Int((traits >> 20 &+ UInt64(offset) % 5) % UInt64(Self.actions.count))])
            buffer.append("\",\"resource\":\"/accounts/0003/items\",\"time\":")
        }
        decimal(UInt64(start + offset * 1000 / Int64(rate)), &buffer)
        buffer.append(",\"user\":\"")
        let key = buffer.count
        buffer.append("user-")
        decimal(UInt64(10_000_000 + user), &buffer)
        let keyEnd = buffer.count
        buffer.append("\",\"session\":\"s-")
        decimal(traits >> 40, &buffer)
        buffer.append("\",\"ip\":\"203.0.")
        decimal(traits % 256, &buffer)
        buffer.append(".7\",\"asn\":64512,\"geo\":{\"country\":\"SE\",\"lat\":59.33,\"lon\":18.06},\"device\":{\"id\":\"d-")
        decimal(traits >> 32, &buffer)
        buffer.append("\",\"type\":\"desktop\",\"user_agent\":\"Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/140.0\"},\"auth\":{\"acr\":\"aal1\"}}")
        return (key..<keyEnd, first..<buffer.count)
    }

    private static let actions: [StaticString] = [
        "account.view", "account.list", "statement.view", "payee.list", "card.view", "message.read", "profile.view", "search.run",
    ]

    private func decimal(_ value: UInt64, _ buffer: inout OutputBuffer) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var place = 20
        var rest = value
        repeat {
            place -= 1
            digits[place] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        } while rest > 0
        while place < 20 {
            buffer.append(digits[place])
            place += 1
        }
    }

    /// SplitMix64's finalizer.
    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

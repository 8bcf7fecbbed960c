import Events

/// Records of one mean size for benchmarks, without labels: sessions of a login and a dozen actions or so, a thousand
/// under way at a time, each of a user drawn by Zipf's law. Deterministic: equal arguments give equal bytes.
public struct BenchmarkTraffic {
    /// Mean bytes of a record; single records differ by up to 12.
    public static let meanBytes = 441

    private let users: Int
    private let zipf: Zipf
    private var random: Random
    private var time: Int64
    private var count: UInt64 = 0
    /// What the next record must be longer to keep the mean.
    private var owed = 0
    private var sessions: [Session] = []
    private var begun: UInt64 = 0

    private struct Session {
        var user: UInt32
        var number: UInt64
        /// What makes the device and network another one than usual; 0 but in one session of 200.
        var odd: UInt64
        var isLoggedIn = false
    }
    private static let concurrent = 1_000
    private static let meanActions = 12.0

    /// `users` from 1 to 16,000,000; an `exponent` of 1 is Zipf's own law, 0 is uniform.
    public init(users: Int = 200_000, seed: UInt64 = 1, exponent: Double = 1, start: Timestamp = TrafficOptions().start) {
        self.users = min(max(users, 1), 16_000_000)
        zipf = Zipf(count: self.users, exponent: exponent.isFinite ? min(max(exponent, 0), 4) : 1)
        random = Random(seed: Random.mix(seed, 0x62656E6368))
        time = start.milliseconds
    }

    /// Where one record lies in the buffer it was written to.
    public struct Slice: Sendable {
        /// Login or action.
        public var type: EventType
        /// The JSON object.
        public var value: Range<Int>
        /// The user's name, a part of `value`.
        public var key: Range<Int>
    }

    /// Appends `records` records, without separators, in the order of event time. Over an even number of records
    /// the mean size is exactly `meanBytes`.
    public mutating func fill(_ buffer: inout OutputBuffer, records: Int) -> [Slice] {
        var slices: [Slice] = []
        slices.reserveCapacity(max(records, 0))
        for _ in 0..<max(records, 0) { slices.append(append(to: &buffer)) }
        return slices
    }

    private mutating func begin() -> Session {
        begun += 1
        return Session(
            user: UInt32(zipf.sample(&random)), number: begun, odd: random.chance(0.005) ? 1 + random.next() % 1_000 : 0)
    }

    private mutating func append(to buffer: inout OutputBuffer) -> Slice {
        let place = random.below(Self.concurrent)
        while sessions.count <= place { sessions.append(begin()) }
        if sessions[place].isLoggedIn && random.chance(1 / (Self.meanActions + 1)) { sessions[place] = begin() }
        let session = sessions[place]
        sessions[place].isLoggedIn = true
        let (user, odd, isLogin) = (session.user, session.odd, !session.isLoggedIn)
        let traits = Random.mix(UInt64(user), 0x747261697473)
        let start = buffer.count
        count += 1
        time += Int64(1 + random.below(99))
        buffer.append("{\"id\":\"")
        Text.eventID(count, &buffer)
        buffer.append(isLogin ? "\",\"type\":\"login\",\"time\":\"" : "\",\"type\":\"action\",\"time\":\"")
        Text.time(time, &buffer)
        buffer.append("\",\"user\":\"")
        let key = buffer.count
        Text.user(user, &buffer)
        let keyEnd = buffer.count
        buffer.append("\",\"session\":\"s-")
        Text.hex(Random.mix(traits, session.number), digits: 6, &buffer)
        if isLogin {
            buffer.append("\",\"outcome\":\"success\"")
        } else {
            let action = Action(rawValue: UInt8(random.below(24))) ?? .accountView
            buffer.append("\",\"action\":\"")
            buffer.append(action.name)
            buffer.append("\",\"resource\":\"")
            buffer.append(action.resource)
            Text.decimal(traits >> 32 % 900 + 100, &buffer)
            buffer.append("\"")
            if action.hasAmount {
                buffer.append(",\"amount\":")
                Text.cents(Int64(100 + random.below(100_000)), &buffer)
            }
        }
        let cityNumber = Int((traits &+ odd) % UInt64(Place.cities.count))
        let network = Network(
            city: UInt8(cityNumber), slot: UInt8(traits >> 8 % 4), host: UInt16(truncatingIfNeeded: traits >> 16 &+ odd))
        buffer.append(",\"ip\":\"")
        Text.ipv4(network.ipv4, &buffer)
        buffer.append("\",\"asn\":")
        Text.decimal(UInt64(network.asn), &buffer)
        let city = Place.cities[cityNumber]
        buffer.append(",\"geo\":{\"country\":\"")
        buffer.append(city.country)
        buffer.append("\",\"lat\":")
        Text.cents(Int64((city.latitude * 100).rounded()), &buffer)
        buffer.append(",\"lon\":")
        Text.cents(Int64((city.longitude * 100).rounded()), &buffer)
        buffer.append("},\"device\":{\"id\":\"d-")
        Text.hex(traits &+ odd, digits: 6, &buffer)
        buffer.append("\",\"type\":\"desktop\",\"user_agent\":\"Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/")
        Text.decimal(120 + traits % 40, &buffer)
        let jitter = count % 2 == 1 ? random.below(25) - 12 : -owed
        owed = count % 2 == 1 ? jitter : 0
        buffer.append(".0\"},\"auth\":{\"acr\":\"aal1\",\"amr\":[\"pwd\"]},\"trace\":\"")
        // A field that no consumer reads takes up what is left, so that the fields that are read stay as they are.
        var digits = random.next()
        while buffer.count < start + Self.meanBytes + jitter - 2 {
            Text.hex(digits, digits: 1, &buffer)
            digits = digits >> 4 | digits << 60
        }
        buffer.append("\"}")
        return Slice(type: isLogin ? .login : .action, value: start..<buffer.count, key: key..<keyEnd)
    }
}

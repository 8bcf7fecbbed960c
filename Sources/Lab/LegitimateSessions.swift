import Glibc

/// Makes a user's own sessions of one day, benign twins among them.
struct LegitimateSessions {
    let options: TrafficOptions
    /// Sessions per unit of activity, so that the stream comes out at the asked number of events.
    let scale: Double

    init(_ options: TrafficOptions) {
        self.options = options
        guard let events = options.events else {
            scale = 1
            return
        }
        let failures = options.twins.mistyped * 1.5 + options.twins.passwordReset * 3
        let within = options.actionsSigma * options.actionsSigma * (1 - options.paceShare)
        let actions = options.actionsMedian * exp(within / 2)
        // What these very people do, not what people do on average: of a few, one who comes often weighs much.
        let asked = min(options.users, 20_000)
        var natural = 0.0
        var jobs = 0.0
        for number in 0..<asked {
            let person = Person(number: UInt32(number), options: options)
            let week = 5 * person.pace(onWeekday: 0) + 2 * person.pace(onWeekday: 5)
            if person.bulkHour != nil { jobs += 1 } else { natural += person.activity * week / 7 * (1 + failures + actions * person.length) }
        }
        let days = Double(options.days) * Double(options.users) / Double(asked)
        let wanted = Double(events) - jobs * days * 181
        // Travel days and sessions that would overlap cost some 4 in 100.
        natural *= days * 0.96
        scale = natural > 0 ? min(max(wanted / natural, 0.02), 40) : 1
    }

    /// Milliseconds from the start of the stream to a day's start.
    func dayStart(_ day: Int) -> Int64 { options.start.milliseconds + Int64(day) * TrafficOptions.dayMilliseconds }

    func append(user: UInt32, day: Int, to output: inout Day) {
        let person = Person(number: user, options: options)
        var random = Random(seed: Random.mix(person.seed, UInt64(day), 0x646179))
        let stay = person.stay(day: day, options: options)
        if stay.travelling { return }
        let zone = zone(stay.city, at: dayStart(day) + TrafficOptions.dayMilliseconds / 2)
        let localDay = Int((dayStart(day) + zone) / TrafficOptions.dayMilliseconds)
        if let hour = person.bulkHour {
            session(of: person, day: day, at: moment(day, hour: hour, zone: zone, jitter: random.uniform(-0.03, 0.03)),
                    city: stay.city, &random, into: &output)
            return
        }
        let mean = person.activity * scale * person.pace(onWeekday: (localDay + 3) % 7)
        let count = random.poisson(mean)
        if count == 0 { return }
        var starts: [Int64] = []
        for _ in 0..<count {
            let peak = random.chance(person.peaks.firstShare) ? person.peaks.first : person.peaks.second
            starts.append(moment(day, hour: peak + person.peaks.spread * random.normal(), zone: zone, jitter: 0))
        }
        starts.sort()
        var free = Int64.min
        for start in starts where start >= free {
            free = session(of: person, day: day, at: start, city: stay.city, &random, into: &output)
        }
    }

    /// Milliseconds that a city's clocks are ahead of UTC.
    func zone(_ city: Int, at time: Int64) -> Int64 {
        Int64(options.twins.daylightSaving ? Place.zone(ofCity: city, at: time) : Place.cities[city].zone) * 60_000
    }

    /// A local hour on a day of the stream; the stream's day need not begin at midnight.
    func moment(_ day: Int, hour: Double, zone: Int64, jitter: Double) -> Int64 {
        let length = TrafficOptions.dayMilliseconds
        let offset = Int64((hour + jitter) * 3_600_000) - zone - dayStart(day)
        return dayStart(day) + ((offset % length) + length) % length
    }
}

import Foundation
import Testing
import VigilTesting

@testable import Behavior

@Suite struct PortableTests {
    @Test(arguments: 1...5) func logarithmAndExponentialAgreeWithTheLibrary(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5000 {
            let x = Double.random(in: -1000...1000, using: &random)
            let power = Portable.exp2(x)
            #expect(abs(power / exp2(x) - 1) < 2e-15, "2^\(x), seed \(seed)")
            #expect(abs(Portable.log(power) - log(power)) <= 1e-15 * max(1, abs(log(power))), "ln \(power), seed \(seed)")
            let y = Double.random(in: -700...700, using: &random)
            #expect(abs(Portable.exp(y) / exp(y) - 1) < 2e-13, "e^\(y), seed \(seed)")
        }
    }

    @Test func endsAndNoNumbers() {
        #expect(Portable.log(1) == 0 && Portable.exp2(0) == 1 && Portable.exp2(10) == 1024 && Portable.exp2(-3) == 0.125)
        #expect(Portable.log(0) == -.infinity && Portable.log(.infinity) == .infinity)
        #expect(Portable.log(-1).isNaN && Portable.log(.nan).isNaN && Portable.exp2(.nan).isNaN)
        #expect(Portable.exp2(2000) == .infinity && Portable.exp2(.infinity) == .infinity)
        #expect(Portable.exp2(-2000) == 0 && Portable.exp2(-.infinity) == 0)
        #expect(Portable.exp2(-1074) == .leastNonzeroMagnitude && Portable.exp2(1023) == 0x1p1023)
        #expect(abs(Portable.exp2(1023.75) / exp2(1023.75) - 1) < 2e-15)
        #expect(abs(Portable.log(.leastNonzeroMagnitude) / log(.leastNonzeroMagnitude) - 1) < 1e-15)
    }

    /// What another processor must come to as well.
    @Test func bitsAreFixed() {
        #expect(Portable.log(10).bitPattern == 0x4002_6BB1_BBB5_5515)
        #expect(Portable.exp2(0.3).bitPattern == 0x3FF3_B2C4_7BFF_8329)
        #expect(Tail.normal(1.5).bitPattern == 0x4005_182B_180D_F7B5)
        #expect(Tail.student(4, degrees: 3).bitPattern == 0x4011_0515_338C_904B)
    }
}

@Suite struct TailTests {
    @Test func normalTailsAgreeWithTheErrorFunction() {
        for step in 0...3700 {
            let z = Double(step) / 100
            let tail = erfc(z / 2.0.squareRoot()) / 2
            let exact = log(1 - tail) - log(tail)
            #expect(abs(Tail.normal(z) - exact) < 1e-9 * max(1, exact), "z \(z)")
            #expect(Tail.normal(-z) == -Tail.normal(z))
        }
    }

    @Test func tailsAreMonotonousAndFinite() {
        var (last, lastStudent) = (-Double.infinity, -Double.infinity)
        for step in -500...500 {
            let z = Double(step * abs(step)) / 1000 + Double(step) * 1e-6
            #expect(Tail.normal(z) > last && Tail.student(z, degrees: 4) > lastStudent, "z \(z)")
            (last, lastStudent) = (Tail.normal(z), Tail.student(z, degrees: 4))
        }
        for z in [1e9, 1e300, Double.infinity] {
            #expect(Tail.normal(z).isFinite && Tail.student(z, degrees: 1).isFinite && Tail.student(-z, degrees: 1e9).isFinite)
        }
        #expect(Tail.normal(.nan) == 0 && Tail.student(.nan, degrees: 3) == 0 && Tail.student(3, degrees: .nan) == 0)
    }

    /// The exact tail: for t = √n·tan θ it is the integral of cosⁿ⁻¹ from θ to π/2, over that from −π/2 (Simpson's rule).
    func exactStudent(_ t: Double, degrees n: Double) -> Double {
        func integral(_ from: Double, _ to: Double) -> Double {
            let steps = 20_000
            let width = (to - from) / Double(steps)
            var sum = 0.0
            for index in 0...steps {
                let factor: Double = index == 0 || index == steps ? 1 : index % 2 == 1 ? 4 : 2
                sum += factor * pow(max(cos(from + Double(index) * width), 0), n - 1)
            }
            return sum * width / 3
        }
        let angle = atan(t / n.squareRoot())
        let above = integral(angle, .pi / 2)
        return log(integral(-.pi / 2, angle) / above)
    }

    @Test func studentTailsAgreeWithTheIntegral() {
        for (degrees, bound) in [(1.0, 0.16), (2, 0.01), (3, 0.002), (5.5, 0.0003), (20, 1e-5), (100, 1e-6)] {
            for t in [0.1, 0.5, 1, 2, 3, 5, 8, 15, 30] {
                let ratio = Tail.student(t, degrees: degrees) / exactStudent(t, degrees: degrees)
                #expect(abs(ratio - 1) < bound, "t \(t), \(degrees) degrees")
            }
        }
        #expect(abs(Tail.student(2.5, degrees: 1e12) - Tail.normal(2.5)) < 1e-6)
    }
}

@Suite struct DecayedMomentsTests {
    @Test(arguments: 1...8) func momentsAreThoseOfTheStream(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var (a, b, all) = (DecayedMoments(), DecayedMoments(), DecayedMoments())
        var values: [Double] = []
        for _ in 0..<300 {
            let value = Float.random(in: -3...9, using: &random)
            values.append(Double(value))
            all.add(value)
            if random.next() % 3 == 0 { a.add(value) } else { b.add(value) }
        }
        let mean = values.reduce(0, +) / 300
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 299
        a.merge(b, weight: 1)
        for moments in [all, a] {
            #expect(abs(Double(moments.mean) - mean) < 1e-4 && abs(Double(moments.variance) - variance) < 1e-2, "seed \(seed)")
        }
        a.decay(by: 0.5)
        #expect(a.weight == 150 && abs(a.mean - all.mean) < 1e-4, "fading keeps the mean, seed \(seed)")
    }

    /// A tenth of values exceed the value that they should exceed with a chance of a tenth, and so on.
    @Test(arguments: 1...3) func excessIsCalibrated(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        func normal() -> Float {
            let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &random))).squareRoot()
            return Float(radius * cos(2 * .pi * Double.random(in: 0..<1, using: &random)))
        }
        var beyond = [0, 0, 0]
        for _ in 0..<8000 {
            var moments = DecayedMoments()
            for _ in 0..<6 { moments.add(5 + 2 * normal()) }
            let excess = moments.excess(of: 5 + 2 * normal(), leastDeviation: 0)
            for (index, chance) in [0.5, 0.1, 0.01].enumerated() where excess > log((1 - chance) / chance) { beyond[index] += 1 }
        }
        let isCalibrated = abs(beyond[0] - 4000) < 180 && abs(beyond[1] - 800) < 110 && abs(beyond[2] - 80) < 36
        #expect(isCalibrated, "\(beyond), seed \(seed)")
    }

    @Test func hostileValues() {
        var moments = DecayedMoments()
        #expect(moments.excess(of: 7, leastDeviation: 0.1) == 0)
        moments.add(.nan)
        moments.add(.infinity)
        moments.add(3, weight: 0)
        moments.add(3, weight: -1)
        #expect(moments.weight == 0 && moments.mean == 0 && moments.squares == 0)
        for _ in 0..<10 { moments.add(3) }
        #expect(moments.excess(of: .nan, leastDeviation: 0.1) == 0)
        let absurd = moments.excess(of: .infinity, leastDeviation: 0.1)
        #expect(absurd.isFinite && absurd > 10)
        #expect(moments.excess(of: 3, leastDeviation: 0.1) == 0)
        #expect(moments.excess(of: 3.05, leastDeviation: 0.1) < 1, "the least deviation keeps small differences small")
        #expect(moments.excess(of: 3.05, leastDeviation: 0) > 10)
    }
}

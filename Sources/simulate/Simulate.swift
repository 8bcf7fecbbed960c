import Foundation
import Runtime
import VigilTesting

/// Runs simulations by seed, in as many processes as asked, and says which seeds fail, why, and how to see it again.
///
///     simulate --seeds 1...3000 [--at-least-once] [--jobs 2] [--events 250] [--spare kill,freeze,…]
///         [--only 3,17,…] [--minimize]
///     simulate --seed 17 --verbose
///     simulate --mutant skip-rewind --seeds 1...300
///     simulate --mutants
@main
struct Simulate {
    static func main() {
        var arguments = Arguments(CommandLine.arguments.dropFirst())
        let run: Run
        do {
            run = try arguments.parse()
        } catch {
            FileHandle.standardError.write(Data("simulate: \(error)\n".utf8))
            exit(64)
        }
        // A worker that has died is noticed where it is read from.
        signal(SIGPIPE, SIG_IGN)
        exit(run.execute() ? 0 : 1)
    }
}

struct UsageError: Error, CustomStringConvertible {
    var description: String
}

/// The command line, read by hand.
struct Arguments {
    private var words: ArraySlice<String>
    init(_ words: ArraySlice<String>) { self.words = words }

    mutating func parse() throws -> Run {
        var run = Run()
        while let word = words.popFirst() {
            switch word {
            case "--seeds":
                let ends = try value(of: word).split(separator: ".", omittingEmptySubsequences: true).compactMap { UInt64($0) }
                guard ends.count == 2, ends[0] <= ends[1] else { throw UsageError(description: "--seeds wants FIRST...LAST") }
                run.seeds = ends[0]...ends[1]
            case "--seed":
                let seed = try number(of: word)
                run.seeds = UInt64(seed)...UInt64(seed)
            case "--jobs": run.jobs = max(1, try number(of: word))
            case "--events": run.settings.events = try number(of: word)
            case "--at-least-once": run.settings.isExact = false
            case "--spare":
                for name in try value(of: word).split(separator: ",") {
                    if name == "paging" {
                        run.settings.sparesPaging = true
                    } else if let misfortune = Misfortune(rawValue: String(name)) {
                        run.settings.spared.insert(misfortune)
                    } else {
                        let names = (Misfortune.allCases.map(\.rawValue) + ["paging"]).joined(separator: ", ")
                        throw UsageError(description: "no misfortune \(name); there are \(names)")
                    }
                }
            case "--only": run.settings.only = Set(try value(of: word).split(separator: ",").compactMap { Int($0) })
            case "--verbose": run.isVerbose = true
            case "--minimize": run.minimizes = true
            case "--worker": run.task = .work
            case "--mutants": run.task = .mutants
            case "--mutant":
                let name = try value(of: word)
                guard let mutant = Mutant(rawValue: name) else {
                    let names = Mutant.allCases.map(\.rawValue).joined(separator: ", ")
                    throw UsageError(description: "no mutant \(name); there are \(names)")
                }
                run.settings.mutant = mutant
            default: throw UsageError(description: "unknown option \(word)")
            }
        }
        return run
    }

    private mutating func value(of option: String) throws -> String {
        guard let value = words.popFirst() else { throw UsageError(description: "\(option) wants a value") }
        return value
    }

    private mutating func number(of option: String) throws -> Int {
        guard let number = Int(try value(of: option)), number >= 0 else {
            throw UsageError(description: "\(option) wants a number")
        }
        return number
    }
}

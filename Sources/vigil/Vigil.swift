import ArgumentParser

@main
struct Vigil: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Continuous authorization and step-up authentication on Kafka.")
}

extension TopicAdmin {
    /// A topic a pipeline needs.
    public struct Need: Sendable, Equatable {
        public enum Role: String, Sendable {
            /// Read by the engine: all have equally many partitions.
            case input
            /// Read by the repartitioner only: any number of partitions.
            case source
            /// What the repartitioner writes and the engine reads: an input in every respect.
            case repartition
            case output
            /// Users' rows; compacted.
            case state
            /// What each batch held, kept as long as the inputs.
            case cuts
            /// What partitions tell each other, kept for longer than any stop.
            case networks
        }

        public var name: String
        public var role: Role
        /// What to create; a topic that is there may have another number.
        public var partitions: Int
        public var replicationFactor: Int
        /// Topic configuration, such as `message.timestamp.type`.
        public var configuration: [String: String]

        public init(
            name: String, role: Role, partitions: Int, replicationFactor: Int = 1, configuration: [String: String] = [:]
        ) {
            self.name = name
            self.role = role
            self.partitions = partitions
            self.replicationFactor = replicationFactor
            self.configuration = configuration
        }

        /// Inputs of the engine must have equally many partitions.
        public var isInput: Bool { role == .input || role == .repartition }
        /// Internal topics must have as many partitions as the inputs.
        public var isInternal: Bool { role == .state || role == .cuts || role == .networks }

        /// An input of the pipeline: stamped by the broker, so that a producer can't date its events ahead.
        public static func input(_ name: String, partitions: Int, replicationFactor: Int = 1) -> Need {
            Need(
                name: name, role: .input, partitions: partitions, replicationFactor: replicationFactor,
                configuration: ["message.timestamp.type": "LogAppendTime"])
        }

        /// A topic whose records go through a repartition topic first.
        public static func source(_ name: String, partitions: Int, replicationFactor: Int = 1) -> Need {
            var need = input(name, partitions: partitions, replicationFactor: replicationFactor)
            need.role = .source
            return need
        }

        /// Where a source's records are laid out anew. They keep the source's timestamps.
        /// - Parameter retentionMilliseconds: nil for the broker's default. Recovery reads it like any input.
        public static func repartition(
            _ name: String, partitions: Int, replicationFactor: Int = 1, retentionMilliseconds: Int64? = nil
        ) -> Need {
            var need = Need(
                name: name, role: .repartition, partitions: partitions, replicationFactor: replicationFactor,
                configuration: ["cleanup.policy": "delete", "message.timestamp.type": "CreateTime"])
            need.configuration["retention.ms"] = retentionMilliseconds.map(String.init)
            return need
        }

        /// An output of the pipeline.
        public static func output(_ name: String, partitions: Int, replicationFactor: Int = 1) -> Need {
            Need(name: name, role: .output, partitions: partitions, replicationFactor: replicationFactor)
        }

        /// The state topic. It is compacted early and in segments of an hour, because restoring reads all of it.
        /// - Parameter deleteRetentionMilliseconds: how long a removed user's tombstone is kept at least: a local state
        ///   file that is older than that can't be brought up to date.
        public static func state(
            _ name: String, partitions: Int, replicationFactor: Int = 1,
            deleteRetentionMilliseconds: Int64 = 86_400_000
        ) -> Need {
            Need(
                name: name, role: .state, partitions: partitions, replicationFactor: replicationFactor,
                configuration: [
                    "cleanup.policy": "compact", "delete.retention.ms": String(deleteRetentionMilliseconds),
                    "min.cleanable.dirty.ratio": "0.1", "segment.ms": "3600000",
                ])
        }

        /// A topic from which records go by their age alone; nil for the broker's default.
        private static func keptByTime(
            _ name: String, as role: Role, partitions: Int, replicationFactor: Int, retentionMilliseconds: Int64?
        ) -> Need {
            var need = Need(
                name: name, role: role, partitions: partitions, replicationFactor: replicationFactor,
                configuration: ["cleanup.policy": "delete"])
            need.configuration["retention.ms"] = retentionMilliseconds.map(String.init)
            return need
        }

        /// The topic of cuts.
        /// - Parameter retentionMilliseconds: at least the inputs'; nil for the broker's default.
        public static func cuts(
            _ name: String, partitions: Int, replicationFactor: Int = 1, retentionMilliseconds: Int64? = nil
        ) -> Need {
            keptByTime(
                name, as: .cuts, partitions: partitions, replicationFactor: replicationFactor,
                retentionMilliseconds: retentionMilliseconds)
        }

        /// The topic of sealed panes.
        /// - Parameter retentionMilliseconds: longer than any stop; nil for the broker's default.
        public static func networks(
            _ name: String, partitions: Int, replicationFactor: Int = 1, retentionMilliseconds: Int64? = nil
        ) -> Need {
            keptByTime(
                name, as: .networks, partitions: partitions, replicationFactor: replicationFactor,
                retentionMilliseconds: retentionMilliseconds)
        }
    }
}

/// How decisions are wrapped, CloudEvents 1.0 Kafka binding.
public enum CloudEventsMode: String, Sendable, CaseIterable { case binary, structured }

/// What is known of what follows one thing.
public struct BigramContext: Sendable, Equatable {
    /// Faded count of the one follower that was asked about.
    public var pair: Float
    /// Faded count of all followers, and how many different ones there are.
    public var total: Float
    public var kinds: Int
    public init(pair: Float = 0, total: Float = 0, kinds: Int = 0) {
        self.pair = pair
        self.total = total
        self.kinds = kinds
    }

    /// p(next | previous), where the pairs seen take what they have and the rest goes by `unigram`, p(next), with a
    /// weight of one observation for each kind of follower: λ·pair/total + (1 − λ)·unigram with λ = total/(total + kinds)
    /// (Witten, Bell, "The zero-frequency problem", IEEE Transactions on Information Theory 1991, method C).
    @inlinable public func probability(unigram: Float) -> Float {
        total > 0 ? (pair + Float(kinds) * unigram) / (total + Float(kinds)) : unigram
    }
}

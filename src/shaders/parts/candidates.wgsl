// Goes before vocabulary.wgsl and topk_merge.wgsl: what the one leaves of a tile and the other reads.

/// The token of a place that a tile of fewer than k columns leaves empty.
const NO_TOKEN = 0xffffffffu;
/// Below every logit.
const LOWEST = -3.4e38;

struct Candidate {
  token: u32,
  logit: f32,
}

/// What a tile adds to a row's log-sum-exp.
struct Part {
  largest: f32,
  /// Σ exp(logit − largest)
  total: f32,
}

/// The order of candidates: larger logits first; of equals, the lower id first.
fn comes_before(a: Candidate, b: Candidate) -> bool {
  return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
}


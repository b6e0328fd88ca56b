// Goes before topk_merge.wgsl: the best of its lanes' candidates, found in workgroup memory alone. Its
// twin is best_subgroups.wgsl.

/// Each lane's best, in two sets that rounds take in turn, so that a round needs one barrier.
var<workgroup> bests: array<Candidate, 2 * LANES>;

/// The best candidate of all lanes; `round` counts the calls.
fn best_of_lanes(own: Candidate, lane: u32, round: u32) -> Candidate {
  let side = (round % 2) * LANES;
  bests[side + lane] = own;
  workgroupBarrier();
  var best = own;
  for (var i = 0u; i < LANES; i++) {
    if comes_before(bests[side + i], best) {
      best = bests[side + i];
    }
  }
  return best;
}


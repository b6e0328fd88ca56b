// Goes before topk_merge.wgsl: the best of its lanes' candidates, found in each subgroup first, for
// adapters that have `subgroups`. Its twin is best_shared.wgsl.
//
// Nothing is taken for granted of how many lanes a subgroup has, or of which: each draws a number.
enable subgroups;

/// Subgroups that have drawn a number.
var<workgroup> subgroups: atomic<u32>;
/// This lane's subgroup's.
var<private> number: u32;
/// Each subgroup's best, in two sets that rounds take in turn, so that a round needs one barrier.
var<workgroup> bests: array<Candidate, 2 * LANES>;

/// The best candidate of all lanes; `round` counts the calls.
fn best_of_lanes(own: Candidate, lane: u32, round: u32) -> Candidate {
  if round == 0 {
    if subgroupElect() {
      number = atomicAdd(&subgroups, 1);
    }
    number = subgroupBroadcastFirst(number);
  }
  let largest = subgroupMax(own.logit);
  let token = subgroupMin(select(NO_TOKEN, own.token, own.logit == largest));
  let side = (round % 2) * LANES;
  if subgroupElect() {
    bests[side + number] = Candidate(token, largest);
  }
  workgroupBarrier();
  var best = bests[side];
  for (var i = 1u; i < atomicLoad(&subgroups); i++) {
    if comes_before(bests[side + i], best) {
      best = bests[side + i];
    }
  }
  return best;
}


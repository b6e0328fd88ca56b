// Merges what vocabulary.wgsl kept of each tile into the posterior of a row: its top k tokens with
// their log probabilities over the whole vocabulary.
//
// Behind parts/best_shared.wgsl or best_subgroups.wgsl, which find the best candidate of all lanes, and
// candidates.wgsl.
//
// Dispatch: (rows, 1, 1), a workgroup a row.

/// Tiles of a row.
override TILES: u32;
/// Tokens kept of each tile and of the row.
override TOP_K: u32 = 8;
/// Lanes of a workgroup.
override LANES: u32 = 64;

struct Posterior {
  token: u32,
  log_prob: f32,
}

/// [rows, TILES, TOP_K]
@group(0) @binding(0) var<storage, read> candidates: array<Candidate>;
/// [rows, TILES]
@group(0) @binding(1) var<storage, read> parts: array<Part>;
/// [rows, TOP_K], likeliest first; of equals, the lower id first.
@group(0) @binding(2) var<storage, read_write> posteriors: array<Posterior>;
/// [rows]: log Σ exp(logit).
@group(0) @binding(3) var<storage, read_write> log_totals: array<f32>;

var<workgroup> chosen: array<Candidate, TOP_K>;
var<workgroup> totals: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.x;
  let base = row * TILES * TOP_K;
  // Before every candidate, so that the first round may choose any.
  var last = Candidate(0, 3.4e38);
  var largest = LOWEST;
  var own_best = Candidate(NO_TOKEN, LOWEST);
  for (var round = 0u; round < TOP_K; round++) {
    // Only the lane whose best was chosen last has to look again.
    if round == 0 || own_best.token == last.token {
      own_best = Candidate(NO_TOKEN, LOWEST);
      for (var i = lane; i < TILES * TOP_K; i += LANES) {
        let candidate = candidates[base + i];
        if comes_before(last, candidate) && comes_before(candidate, own_best) {
          own_best = candidate;
        }
      }
    }
    let best = best_of_lanes(own_best, lane, round);
    if lane == 0 {
      chosen[round] = best;
    }
    if round == 0 {
      largest = best.logit;
    }
    last = best;
  }

  var total = 0f;
  for (var i = lane; i < TILES; i += LANES) {
    let part = parts[row * TILES + i];
    total += part.total * exp(part.largest - largest);
  }
  totals[lane] = total;
  workgroupBarrier();
  total = 0;
  for (var i = 0u; i < LANES; i++) {
    total += totals[i];
  }
  for (var rank = lane; rank < TOP_K; rank += LANES) {
    let best = chosen[rank];
    posteriors[row * TOP_K + rank] = Posterior(best.token, best.logit - largest - log(total));
  }
  if lane == 0 {
    log_totals[row] = largest + log(total);
  }
}

// How likely each candidate text is: the CTC forward algorithm in log space, over every path through
// the slots that collapses into the text (Graves et al. 2006, with an end as in Query-CTC).
//
// A text of L words has 2L + 3 states: a blank before, between and behind the words, the end, and
// what stands behind the end, where any token may be. Lanes share the states of one slot; the slots
// follow one another.
//
// Dispatch: (candidates, batch, 1), a workgroup a candidate.

/// Slots that an image has at the most; no longer text can be spelt.
override MOST_SLOTS: u32;
/// Lanes of a workgroup.
override LANES: u32 = 64;

override MOST_STATES = 2 * MOST_SLOTS + 3;

/// Columns of the two tokens that every text needs.
const BLANK = 0u;
const END = 1u;
/// log 0. Not an infinity, which WGSL need not keep; what is below a tenth of it was never possible.
const IMPOSSIBLE = -1e30;

struct Sizes {
  /// Slots of an image.
  slots: u32,
  /// Tokens whose log probabilities are known.
  columns: u32,
  /// Columns kept for each candidate's words.
  longest: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
/// [batch, slots, columns]
@group(0) @binding(1) var<storage, read> log_probs: array<f32>;
/// [candidates]: words of each, which may be more than `longest`.
@group(0) @binding(2) var<storage, read> lengths: array<u32>;
/// [candidates, longest]: the column of each word's token.
@group(0) @binding(3) var<storage, read> words: array<u32>;
/// [batch, candidates]: log p, IMPOSSIBLE or less if no path spells the text.
@group(0) @binding(4) var<storage, read_write> scores: array<f32>;

/// The columns of the states before the end.
var<workgroup> columns: array<u32, MOST_STATES>;
/// log p of all paths to each state, in two sets that slots take in turn.
var<workgroup> forward: array<f32, 2 * MOST_STATES>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let candidate = workgroup.x;
  let image = workgroup.y;
  let score = image * workgroups.x + candidate;
  let length = lengths[candidate];
  if length > min(sizes.slots, sizes.longest) {
    if lane == 0 {
      scores[score] = IMPOSSIBLE;
    }
    return;
  }
  // Blanks and words take turns, then come the end and what is behind it.
  let end = 2 * length + 1;
  for (var state = lane; state < end; state += LANES) {
    columns[state] = BLANK;
    if state % 2 == 1 {
      columns[state] = words[candidate * sizes.longest + state / 2];
    }
  }
  workgroupBarrier();

  var side = 0u;
  for (var state = lane; state <= end + 1; state += LANES) {
    // A path starts with a blank, or with the first word; of an empty text that is the end.
    var first = IMPOSSIBLE;
    if state < 2 {
      first = emission(image, 0, state, end);
    }
    forward[state] = first;
  }
  for (var slot = 1u; slot < sizes.slots; slot++) {
    workgroupBarrier();
    let last = side;
    side = MOST_STATES - side;
    for (var state = lane; state <= end + 1; state += LANES) {
      forward[side + state] = arrivals(last, state, end) + emission(image, slot, state, end);
    }
  }
  workgroupBarrier();
  if lane == 0 {
    var total = log_add(forward[side + end], forward[side + end + 1]);
    total = log_add(total, forward[side + end - 1]);
    if length > 0 {
      total = log_add(total, forward[side + end - 2]);
    }
    scores[score] = total;
  }
}

/// log p of all paths that may go on to a state.
fn arrivals(last: u32, state: u32, end: u32) -> f32 {
  if state == end {
    // From the last word or the blank behind it; a second end is behind the first.
    var total = forward[last + end - 1];
    if end > 1 {
      total = log_add(total, forward[last + end - 2]);
    }
    return total;
  }
  var total = forward[last + state];
  if state > 0 {
    total = log_add(total, forward[last + state - 1]);
  }
  // From word to word without a blank, unless that would merge them.
  if state % 2 == 1 && state > 1 && state < end && columns[state] != columns[state - 2] {
    total = log_add(total, forward[last + state - 2]);
  }
  return total;
}

/// log p of a state's token in a slot. Behind the end any token will do.
fn emission(image: u32, slot: u32, state: u32, end: u32) -> f32 {
  if state > end {
    return 0;
  }
  var column = END;
  if state < end {
    column = columns[state];
  }
  return log_probs[(image * sizes.slots + slot) * sizes.columns + column];
}

/// log(exp(a) + exp(b))
fn log_add(a: f32, b: f32) -> f32 {
  let largest = max(a, b);
  return largest + log(1 + exp(min(a, b) - largest));
}

// The CTC collapse of every image, written as what goes back to the CPU: a record of the text, or,
// for a search, all posteriors in one number each.
//
// A slot is kept if its likeliest token is not the blank, not the token of the slot before, and
// comes before the first EOS. The kept tokens are packed by a prefix sum over the flags, 64 slots
// at a time.
//
// Dispatch: (batch, 1, 1), a workgroup an image.

/// Id of the CTC blank.
override BLANK: u32;
/// Id of the end-of-sentence token.
override EOS: u32;
/// Posteriors of a slot, likeliest first.
override TOP_K: u32 = 8;
/// Low bits of a packed posterior that hold its token.
override TOKEN_BITS: u32 = 16;
/// What the bits between the token and the flag say of a log probability that is not finite.
override NOT_FINITE: u32 = (1u << (31 - TOKEN_BITS)) - 1;
/// Steps to a unit of a packed log probability; what is less than LOWEST counts as LOWEST.
override STEPS: f32 = f32(NOT_FINITE - 1) / -LOWEST;

const LANES = 64u;
const LOWEST = -32f;

struct Sizes {
  /// Slots of an image.
  slots: u32,
}

struct Posterior {
  token: u32,
  log_prob: f32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
/// [batch, slots, TOP_K]
@group(0) @binding(1) var<storage, read> posteriors: array<Posterior>;
/// [batch, 1 + 4·slots]: the number of kept tokens; those tokens, then zeros, `slots` in all; and
/// of each slot its token, the bits of its f32 log probability, and 1 if it is kept.
@group(0) @binding(2) var<storage, read_write> records: array<u32>;
/// [batch, slots, TOP_K]: the posteriors, from the lowest bit on TOKEN_BITS of token, 31 − TOKEN_BITS of
/// steps below a log probability of 0, and 1 if the slot is kept, for its likeliest token alone.
@group(0) @binding(3) var<storage, read_write> packed: array<u32>;

/// The first slot whose likeliest token is EOS.
var<workgroup> end: atomic<u32>;
/// Running numbers of kept slots, in two sets that the steps of the prefix sum take in turn.
var<workgroup> running: array<u32, 2 * LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let image = workgroup.x;
  let record = image * (1 + 4 * sizes.slots);
  if lane == 0 {
    atomicStore(&end, sizes.slots);
  }
  workgroupBarrier();
  for (var slot = lane; slot < sizes.slots; slot += LANES) {
    if likeliest(image, slot).token == EOS {
      atomicMin(&end, slot);
    }
    records[record + 1 + slot] = 0;
  }
  // Also orders the zeros before the tokens that other lanes write over them.
  workgroupBarrier();
  storageBarrier();

  var count = 0u;
  for (var first = 0u; first < sizes.slots; first += LANES) {
    let slot = first + lane;
    var kept = 0u;
    if slot < sizes.slots {
      let choice = likeliest(image, slot);
      kept = select(0u, 1u, is_new(image, slot) && slot < atomicLoad(&end));
      let at = record + 1 + sizes.slots + 3 * slot;
      records[at] = choice.token;
      records[at + 1] = bitcast<u32>(choice.log_prob);
      records[at + 2] = kept;
      let first_rank = (image * sizes.slots + slot) * TOP_K;
      packed[first_rank] = pack(choice) | (kept << 31);
      for (var rank = 1u; rank < TOP_K; rank++) {
        packed[first_rank + rank] = pack(posteriors[first_rank + rank]);
      }
    }
    let place = count + inclusive_sum(kept, lane) - 1;
    if kept == 1 {
      records[record + 1 + place] = likeliest(image, slot).token;
    }
    // inclusive_sum leaves its result in the first set.
    count += running[LANES - 1];
    workgroupBarrier();
  }
  if lane == 0 {
    records[record] = count;
  }
}

fn likeliest(image: u32, slot: u32) -> Posterior {
  return posteriors[(image * sizes.slots + slot) * TOP_K];
}

/// A posterior without its flag. By its bits, since shaders may take it for granted that every number
/// is finite.
fn pack(posterior: Posterior) -> u32 {
  let finite = (bitcast<u32>(posterior.log_prob) & 0x7f800000) != 0x7f800000;
  let steps = min(u32(round(-clamp(posterior.log_prob, LOWEST, 0) * STEPS)), NOT_FINITE - 1);
  let token = posterior.token & ((1u << TOKEN_BITS) - 1);
  let value = select(NOT_FINITE, steps, finite && token == posterior.token);
  return (value << TOKEN_BITS) | token;
}

/// True if the slot's token is neither the blank nor a repeat.
fn is_new(image: u32, slot: u32) -> bool {
  let token = likeliest(image, slot).token;
  return token != BLANK && (slot == 0 || token != likeliest(image, max(slot, 1) - 1).token);
}

/// The sum of this lane's value and those of all lanes before.
fn inclusive_sum(value: u32, lane: u32) -> u32 {
  running[lane] = value;
  workgroupBarrier();
  // Six doublings, an even number: the last one ends in the set that the first one started from.
  var side = 0u;
  for (var step = 1u; step < LANES; step *= 2) {
    var sum = running[side + lane];
    if lane >= step {
      sum += running[side + lane - step];
    }
    side = LANES - side;
    running[side + lane] = sum;
    workgroupBarrier();
  }
  return running[lane];
}

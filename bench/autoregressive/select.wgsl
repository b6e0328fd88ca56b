// One step of beam search: of each image's BEAMS texts, each with its BEAMS likeliest next words, the
// BEAMS likeliest together. A text that has ended goes on as it is.
//
// One lane does it: BEAMS² comparisons a place are less than what a barrier costs.
//
// Dispatch: (batch, 1, 1).

override BEAMS: u32;
override EOS: u32;

struct Sizes {
  /// Words before this one; at the first all beams are the same, and one counts.
  position: u32,
}

struct Posterior {
  word: u32,
  log_prob: f32,
}

struct Choice {
  word: u32,
  /// The beam of the same image that it continues.
  parent: u32,
  /// log p of the whole text.
  log_prob: f32,
  /// 1 if the text has ended.
  ended: u32,
}

const LOWEST = -3.4e38;

@group(0) @binding(0) var<uniform> sizes: Sizes;
/// [batch, BEAMS, BEAMS], likeliest first
@group(0) @binding(1) var<storage, read> posteriors: array<Posterior>;
/// [batch, BEAMS]: at the position before; not read at the first.
@group(0) @binding(2) var<storage, read> before: array<Choice>;
/// [batch, BEAMS], likeliest first
@group(0) @binding(3) var<storage, read_write> after: array<Choice>;

/// How many continuations of each beam are taken; they come in their order.
var<workgroup> taken: array<u32, BEAMS>;

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) workgroup: vec3u) {
  let first = workgroup.x * BEAMS;
  for (var place = 0u; place < BEAMS; place++) {
    var best = Choice(EOS, 0, LOWEST, 1);
    for (var beam = 0u; beam < BEAMS; beam++) {
      let next = continuation(first, beam, taken[beam]);
      if next.log_prob > best.log_prob {
        best = next;
      }
    }
    taken[best.parent]++;
    after[first + place] = best;
  }
}

/// The beam's likeliest continuation but `rank`; one without hope where there is none.
fn continuation(first: u32, beam: u32, rank: u32) -> Choice {
  let nothing = Choice(EOS, beam, LOWEST, 1);
  var log_prob = 0f;
  if sizes.position == 0 {
    if beam > 0 {
      return nothing;
    }
  } else {
    let text = before[first + beam];
    if text.ended == 1 {
      if rank > 0 {
        return nothing;
      }
      return Choice(EOS, beam, text.log_prob, 1);
    }
    log_prob = text.log_prob;
  }
  if rank == BEAMS {
    return nothing;
  }
  let next = posteriors[(first + beam) * BEAMS + rank];
  return Choice(next.word, beam, log_prob + next.log_prob, u32(next.word == EOS));
}

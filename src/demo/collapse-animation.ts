/**
 * The collapse, as something to watch: every slot fills at the same moment, the blanks and repeats
 * shrink away, and the words slide together into the sentence.
 *
 * The page's resting state is the end of it, so whoever asks for less motion misses nothing.
 */
import type { CaptionText } from './caption-text.ts';
import type { Strip } from './strip.ts';

/** All slots appear together: the one thing that this is to show. */
const FILL = { delay: 150, duration: 450 };
/** After a moment to look at them. */
const SHRINK = { delay: 1300, duration: 450 };
const SLIDE = { delay: 1650, duration: 900 };

const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');

/** Play it from the start; does nothing where less motion is asked for. */
export function playCollapse(strip: Strip, caption: CaptionText): void {
  if (reducedMotion.matches) return;
  for (const animated of [strip.element, caption.element]) {
    for (const animation of animated.getAnimations({ subtree: true })) animation.cancel();
  }
  for (const token of strip.tokens) {
    token.animate(
      [
        { opacity: 0, filter: 'blur(4px)' },
        { opacity: 1, filter: 'none' },
      ],
      {
        ...FILL,
        fill: 'backwards',
        easing: 'ease-out',
      },
    );
  }
  for (const slot of strip.dropped) {
    // Until then it looks like the others; at rest its style sheet has it small and grey.
    slot.animate(
      [
        {
          scale: 1,
          fontSize: 'var(--token-size)',
          color: 'var(--ink)',
          borderColor: 'var(--frame)',
        },
        { scale: 0.5, offset: 0.6 },
        {},
      ],
      { ...SHRINK, fill: 'backwards', easing: 'ease-in-out' },
    );
  }
  caption.pieces.forEach((piece, i) => {
    const slot = strip.words[i];
    if (slot) slide(piece, slot);
  });
}

/** Move `piece` from where its slot shows it to its place in the sentence. */
function slide(piece: HTMLElement, slot: HTMLElement): void {
  const from = slot.getBoundingClientRect();
  const to = piece.getBoundingClientRect();
  const scale = from.height / to.height; // Both are one line of the same line height.
  const start = `translate(${from.left - to.left}px, ${from.top - to.top}px) scale(${scale})`;
  piece.animate(
    [
      { transform: start, opacity: 0, offset: 0 },
      { transform: start, opacity: 1, offset: 0.08 },
      { transform: 'none', opacity: 1, offset: 1 },
    ],
    { ...SLIDE, fill: 'backwards', easing: 'cubic-bezier(0.3, 0, 0.1, 1)' },
  );
}

/** Play it once, when the strip is first seen. */
export function playOnceSeen(strip: Strip, caption: CaptionText): void {
  const { top } = strip.element.getBoundingClientRect();
  // Asking an observer takes a frame, in which the finished sentence would flash up.
  if (top < innerHeight) {
    playCollapse(strip, caption);
    return;
  }
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    playCollapse(strip, caption);
  });
  observer.observe(strip.element);
}

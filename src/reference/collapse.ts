/** The CTC collapse: from the likeliest token of each slot to the tokens of the text. */

/**
 * Says of each slot whether its token is a new one of the text: it is not the blank, not the
 * token of the slot before, and comes before the first EOS.
 *
 * @param tokens the likeliest token of each slot, in order
 * @returns one flag a slot; the text is the tokens whose flag is true
 */
export function collapse(tokens: ArrayLike<number>, blank: number, eos: number): boolean[] {
  const end = Array.prototype.indexOf.call(tokens, eos);
  return Array.from(
    tokens,
    (token, slot) => token !== blank && token !== tokens[slot - 1] && (end === -1 || slot < end),
  );
}

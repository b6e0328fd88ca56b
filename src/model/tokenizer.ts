/** Text to token ids and back, by the model's own tokenizer.json. */
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { NarvlError } from '../errors.ts';

/** The model's word pieces. Location tokens are none: they have no text. */
export class Tokenizer {
  readonly #tokenizer: HuggingFaceTokenizer;
  readonly #size: number;

  /**
   * @param file tokenizer.json
   * @param words token ids of the decoder that have a text, from 0 on
   * @throws NarvlError `invalid-model` if the file does not fit that.
   */
  constructor(file: ArrayBuffer, words: number) {
    try {
      const json: object = JSON.parse(new TextDecoder().decode(file));
      this.#tokenizer = new HuggingFaceTokenizer(json, {});
    } catch (cause) {
      throw new NarvlError('invalid-model', 'tokenizer.json cannot be read', { cause });
    }
    this.#size = this.#tokenizer.get_vocab().size;
    if (this.#size !== words) {
      throw new NarvlError(
        'invalid-model',
        `tokenizer.json: expected the decoder's ${words} tokens, got ${this.#size}`,
      );
    }
  }

  /**
   * A prompt's token ids, filled up to `length` with `pad`.
   * @throws NarvlError `invalid-argument` if it has more than `length` tokens.
   */
  encodePrompt(text: string, length: number, pad: number): { ids: Int32Array; used: number } {
    const encoded = this.encode(text);
    if (encoded.length > length) {
      throw new NarvlError(
        'invalid-argument',
        `Expected at most ${length} tokens with the task's own, got ${encoded.length}: say it in fewer words`,
      );
    }
    const ids = new Int32Array(length).fill(pad);
    ids.set(encoded);
    return { ids, used: encoded.length };
  }

  /** A text's token ids. */
  encode(text: string): number[] {
    return this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
  }

  /** The text that token ids spell. */
  decode(ids: readonly number[]): string {
    const words = ids.filter((id) => id < this.#size);
    if (words.length === 0) return '';
    return this.#tokenizer.decode(words, { skip_special_tokens: true }).trim();
  }

  /** One token as it stands in a text, leading space included; special tokens by their name. */
  piece(id: number): string {
    return id < this.#size ? this.#tokenizer.decode([id], { skip_special_tokens: false }) : '';
  }

  /** Whether a token begins a word. */
  begins(id: number): boolean {
    return this.piece(id).startsWith(' ');
  }
}

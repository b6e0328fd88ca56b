/** The page's one voice for screen readers, however many pictures have something to say. */

/** Long enough that what a scroll or a page's start brings together is said together. */
const GATHER_MS = 400;

/** Something to say; `many` says it of several at a time. */
export interface Message {
  readonly text: string;
  readonly many?: ((count: number) => string) | undefined;
}

/** What has gathered as one text: several of a kind by their number, the rest word for word. */
export function gather(messages: readonly Message[]): string {
  const kinds = new Map<unknown, Message[]>();
  for (const message of messages) {
    const kind = message.many ?? message;
    kinds.set(kind, [...(kinds.get(kind) ?? []), message]);
  }
  return [...kinds.values()].map(sayTogether).join('. ');
}

function sayTogether(alike: readonly Message[]): string {
  const [first] = alike;
  return first?.many && alike.length > 1 ? first.many(alike.length) : (first?.text ?? '');
}

let region: HTMLElement | undefined;
let waiting: Message[] = [];

/** Have the live region in the page: readers announce only what changes in one that they know. */
export function prepareAnnouncer(): void {
  if (region?.isConnected) return;
  region ??= createRegion();
  document.body?.append(region);
}

/** Have `message` read out when the reader is next idle. */
export function announce(message: Message): void {
  prepareAnnouncer();
  if (waiting.push(message) > 1) return;
  if (region) region.textContent = ''; // Or what is said twice would be read once.
  setTimeout(() => {
    if (region) region.textContent = gather(waiting);
    waiting = [];
  }, GATHER_MS);
}

function createRegion(): HTMLElement {
  const element = document.createElement('div');
  element.setAttribute('role', 'status');
  element.dataset.narvl = 'announcer';
  // Out of sight; through the object model, which a policy against inline styles permits.
  Object.assign(element.style, {
    position: 'absolute',
    inlineSize: '1px',
    blockSize: '1px',
    overflow: 'hidden',
    clipPath: 'inset(50%)',
    whiteSpace: 'nowrap',
  });
  return element;
}

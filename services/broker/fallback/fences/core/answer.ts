/** What an external fence answers, read as strictly as anything from outside. Pure. */

/** `fenced`: nothing runs at the datacenter any more, and how that is known. `pending`: ask again. */
export type FenceAnswer =
  | { readonly state: 'fenced'; readonly proof: string }
  | { readonly state: 'pending' }
  | { readonly state: 'failed'; readonly reason: string }

/** Who proves it, as an operation tells it; no person is called so. */
export const fencePrefix = 'fence:'

const longest = 500

/** Throws what is wrong with it, when it is no answer. Only what is said in so many words is proof. */
export function readAnswer(status: number, text: string): FenceAnswer {
  if (status !== 200 && status !== 202) throw new Error(`it answered with status ${status}`)
  const { state, proof, reason } = fieldsOf(text)
  if (state === 'pending') return { state }
  if (status === 200 && state === 'fenced' && isSaid(proof)) return { state, proof: oneLine(proof) }
  if (status === 200 && state === 'failed')
    return { state, reason: isSaid(reason) ? oneLine(reason) : 'it did not say why' }
  throw new Error('its answer is none of fenced with a proof, pending, and failed')
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(text) ?? {}) as Readonly<Record<string, unknown>>
  } catch {
    throw new Error('its answer is no JSON')
  }
}

const isSaid = (text: unknown): text is string => typeof text === 'string' && text.trim() !== ''
const oneLine = (text: string) =>
  text
    .replaceAll(/[\s\p{C}]+/gu, ' ')
    .trim()
    .slice(0, longest)
    .toWellFormed()

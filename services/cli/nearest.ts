/** What somebody may have meant who made a slip of the pen. */

/** Of the names that are known those that are nearest, at most three; none when nothing is near. */
export function nearest(word: string, known: readonly string[]): string[] {
  const limit = Math.max(1, Math.floor(word.length / 3))
  return known
    .map((name) => ({ name, slips: slipsBetween(word.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, slips }) => slips <= limit || name.toLowerCase().includes(word.toLowerCase()))
    .sort((a, b) => a.slips - b.slips || a.name.localeCompare(b.name))
    .slice(0, 3)
    .map(({ name }) => name)
}

/** `Did you mean a, b or c?`, or undefined. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  const names = nearest(word, known)
  const last = names.pop()
  if (last === undefined) return undefined
  return `Did you mean ${names.length === 0 ? last : `${names.join(', ')} or ${last}`}?`
}

/** How many letters to add, leave out or exchange (Levenshtein). */
function slipsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries())
      next.push(Math.min((row[j] ?? 0) + (letter === other ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    row = next
  }
  return row[b.length] ?? 0
}

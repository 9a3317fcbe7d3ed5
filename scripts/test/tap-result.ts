/** Reads the TAP that a test file printed: its outermost tests are what is counted. */

export interface TapResult {
  readonly passed: number
  readonly failed: number
  /** One entry a skipped test: its name and the reason. */
  readonly skipped: readonly string[]
  /** The plan was printed and kept, so that the file ran to its end. */
  readonly complete: boolean
}

/** A skipped file (`1..0 # SKIP`) counts as one skipped test. */
export function readTap(text: string): TapResult {
  let passed = 0
  let failed = 0
  const skipped: string[] = []
  let planned: number | undefined
  for (const line of text.split('\n')) {
    const plan = /^1\.\.(\d+)(?:\s*#\s*(.*))?$/.exec(line)
    if (plan) {
      planned = Number(plan[1])
      if (planned === 0) skipped.push(plan[2] ?? 'no tests')
    }
    const point = /^(not )?ok \d+(?: - )?(.*)$/.exec(line)
    if (!point) continue
    const [, not, name = ''] = point
    const directive = /#\s*SKIP\b/i.test(name)
    if (directive) skipped.push(name.replace(/\s*#\s*SKIP\b:?/i, ':').trim())
    else if (not) failed += 1
    else passed += 1
  }
  const seen = passed + failed + skipped.length
  return { passed, failed, skipped, complete: planned !== undefined && (planned === 0 || planned === seen) }
}

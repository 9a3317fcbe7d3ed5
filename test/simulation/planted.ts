/** Faults that somebody could make in the protocol; a simulation that does not find each of them proves nothing. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Outcome } from './run.ts'

export interface Planted {
  readonly id: string
  readonly fault: string
  readonly file: string
  /** Stands there exactly once. */
  readonly find: string
  readonly replace: string
}

const core = 'services/fallback'
export const planted: readonly Planted[] = [
  {
    id: 'M1',
    fault: 'the deadline counts from the answer instead of from when it was asked',
    file: `${core}/site/renew.ts`,
    find: 'if (sentAtMs + leaseMs <= nowMs) continue\n    extend(site, record, epoch, sentAtMs)',
    replace: 'extend(site, record, epoch, nowMs)',
  },
  {
    id: 'M2',
    fault: 'the wait leaves out how long stopping takes',
    file: `${core}/timers.ts`,
    find: '(leaseMs + stopMs) * (1 + drift)',
    replace: '(leaseMs + 0 * stopMs) * (1 + drift)',
  },
  {
    id: 'M3',
    fault: 'the wait leaves out that clocks run wrong',
    file: `${core}/timers.ts`,
    find: '((leaseMs + stopMs) * (1 + drift)) / (1 - drift)',
    replace: 'leaseMs + stopMs + 0 * drift',
  },
  {
    id: 'M4',
    fault: 'grants are answered before they are committed',
    file: 'test/simulation/broker.ts',
    find: 'const mine = term\n',
    replace: 'const mine = term\n      done(true)\n',
  },
  {
    id: 'M5',
    fault: 'a desk that begins believes that every lease ran out long ago',
    file: `${core}/desk/desk.ts`,
    find: 'bootMs: nowMs,',
    replace: 'bootMs: nowMs - 1e9,',
  },
  {
    id: 'M6',
    fault: 'the store takes commits of a desk that was deposed',
    file: 'test/simulation/store.ts',
    find: 'const ok = asked === term',
    replace: 'const ok = asked <= term',
  },
  {
    id: 'M7',
    fault: 'a promise is not stored before it is given',
    file: `${core}/site/offers.ts`,
    find: 'return stored(site, promised, () =>',
    replace: 'site.records.set(hosting, promised)\n  return ((after) => ({ writes: [], after }))(() =>',
  },
  {
    id: 'M8',
    fault: 'the gate is open on a node that has just booted',
    file: `${core}/guard/guard.ts`,
    find: 'return grant !== undefined && !isLater',
    replace: 'return grant === undefined || !isLater',
  },
  {
    id: 'M9',
    fault: 'the promises of most peers are enough',
    file: `${core}/site/renew.ts`,
    find: 'if (round.waiting.size === 0) {',
    replace: 'if (round.waiting.size <= 1) {',
  },
  {
    id: 'M10',
    fault: 'a restored store goes on as if nothing had been forgotten',
    file: 'test/simulation/store.ts',
    find: 'forgotten(row, generation)',
    replace: 'row',
  },
  {
    id: 'M11',
    fault: 'that an earlier epoch has stopped is taken for the present one',
    file: `${core}/desk/failover.ts`,
    find: 'row.over === undefined && isSame(message.epoch, row.epoch)',
    replace: 'row.over === undefined',
  },
  {
    id: 'M12',
    fault: 'a holder is renewed after its right was written off',
    file: `${core}/desk/renewals.ts`,
    find: '!isSame(row.epoch, held.epoch) || row.over !== undefined',
    replace: '!isSame(row.epoch, held.epoch)',
  },
  {
    id: 'M13',
    fault: 'two sagas of one hosting at once',
    file: `${core}/desk/hear.ts`,
    find: 'if (row.saga || row.offer) return nothing',
    replace: '',
  },
  {
    id: 'M14',
    fault: 'what is left at the old site is not cleaned up',
    file: `${core}/desk/renewals.ts`,
    find: '...orders(desk, from), ...questions',
    replace: '...orders(desk, from).slice(0, 0), ...questions',
  },
  {
    id: 'M15',
    fault: 'a promise lasts as long as the lease, not as long as the wait',
    file: `${core}/site/offers.ts`,
    find: 'nowMs + waitMs(site.profile)',
    replace: 'nowMs + site.profile.leaseMs + 0 * waitMs(site.profile)',
  },
  {
    id: 'M16',
    fault: 'the list of peers changes in one step',
    file: `${core}/desk/renewals.ts`,
    find: 'return changed(desk, { ...row, nextPeers: { version, members } })',
    replace: 'return changed(desk, { ...row, peers: { version, members } })',
  },
  {
    id: 'M17',
    fault: 'a guard minds what has begun, and not what it let through its gate',
    file: 'test/simulation/node.ts',
    find: '(ordered.has(pod) || pod.isOpen ? [hosting] : [])',
    replace: '(pod.isActive ? [hosting] : [])',
  },
  {
    id: 'M18',
    fault: 'a guard that hangs is left alone',
    file: 'test/simulation/node.ts',
    find: 'if (time.now() - pattedAt < clock.toReal(stopMs * 0.4)) return',
    replace: 'if (pattedAt >= 0) return',
  },
  {
    id: 'M19',
    fault: 'what a site that is off may have seen is forgotten',
    file: `${core}/desk/amnesia.ts`,
    find: 'desk.off.size > 0 ? { ...upTo, counter: told.counter } : told',
    replace: 'told',
  },
]

export interface Finding {
  readonly seed?: number
  readonly breach?: string
}

/** Runs seeds on a copy with the fault in it, until one shows a breach or `seeds` have not. */
export function findPlanted(root: string, fault: Planted, seeds: number): Promise<Finding> {
  return onCopy(root, [core, 'services/shared/random.ts', 'test/simulation'], fault, async (load) => {
    const [{ runSeed }, faulty] = await Promise.all([load('test/simulation/run.ts'), load(`${core}/index.ts`)])
    for (let seed = 1; seed <= seeds; seed++) {
      const { breach } = runSeed(faulty, seed) as Outcome
      if (breach !== undefined) return { seed, breach }
    }
    return {}
  })
}

/** `work` on a copy of these paths that has the fault in it; `load` imports a module of the copy. */
export async function onCopy<T>(
  root: string,
  paths: readonly string[],
  { file, find, replace }: Planted,
  work: (load: (path: string) => Promise<any>) => Promise<T>,
): Promise<T> {
  const copy = mkdtempSync(join(tmpdir(), 'planted-'))
  try {
    for (const path of paths) {
      mkdirSync(dirname(join(copy, path)), { recursive: true })
      cpSync(join(root, path), join(copy, path), { recursive: true })
    }
    writeFileSync(join(copy, 'package.json'), readFileSync(join(root, 'package.json')))
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    const source = readFileSync(join(copy, file), 'utf8')
    if (source.split(find).length !== 2) throw new Error(`${file} does not hold once: ${find}`)
    writeFileSync(join(copy, file), source.replace(find, replace))
    return await work((path) => import(pathToFileURL(join(copy, path)).href))
  } finally {
    rmSync(copy, { recursive: true })
  }
}

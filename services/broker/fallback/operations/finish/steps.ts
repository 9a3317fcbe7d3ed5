/** What an operation lacks until its hosting is as it was, at another place. Pure. */
import type { OperationState } from '../../../../../schemas/index.ts'
import type { Readiness } from '../../../clusters/index.ts'
import type { Promotion } from '../../../mirror/index.ts'

type Step = 'data-promoted' | 'healthy' | 'traffic-switched' | 'done'

/** As far as each was looked at: the next is not before the one before it is through. */
export interface Found {
  readonly taken: ReadonlySet<string>
  /** Its site says that it runs it, and its namespace is as it is to be; else what is waited for. */
  readonly stands: true | string
  /** Undefined where no data was declared. */
  readonly data?: Promotion | undefined
  /** A text: nobody may look, and why. */
  readonly readiness?: Readiness | string | undefined
  /** Of its names at the new place; undefined where it has none. */
  readonly names?: { readonly stands: boolean; readonly problem: string | null; readonly tried: boolean } | undefined
}

export interface Finished {
  readonly steps: readonly { readonly name: Step; readonly note: string | null }[]
  /** What is in the way of the next step; undefined when all is done. */
  readonly trouble?: string
  /** It does not go away by waiting. */
  readonly isHopeless?: boolean
}

/** The steps that are through now, in their order, until one is not. */
export function finish({ taken, stands, data, readiness, names }: Found): Finished {
  const steps: { name: Step; note: string | null }[] = []
  if (stands !== true) return { steps, trouble: stands }
  if (data && !taken.has('data-promoted')) {
    if (data.state !== 'done')
      return { steps, trouble: data.reason ?? 'its data is brought back', isHopeless: data.state === 'failed' }
    steps.push({ name: 'data-promoted', note: data.reason })
  }
  if (!taken.has('healthy')) {
    if (readiness === undefined) return { steps, trouble: 'what runs there has not been looked at' }
    if (typeof readiness !== 'string' && readiness.waiting.length > 0)
      return { steps, trouble: readiness.waiting.join(', ') }
    steps.push({ name: 'healthy', note: healthNote(readiness) })
  }
  if (names && !taken.has('traffic-switched')) {
    if (!names.tried) return { steps, trouble: 'its names are being announced' }
    if (!names.stands && names.problem === null) return { steps, trouble: 'its names wait for an address' }
    steps.push({ name: 'traffic-switched', note: names.problem && `not all is announced: ${names.problem}` })
  }
  steps.push({ name: 'done', note: null })
  return { steps }
}

function healthNote(readiness: Readiness | string): string {
  if (typeof readiness === 'string') return `nobody may look at what runs there: ${readiness}`
  return readiness.wanted === 1 ? '1 workload is ready' : `${readiness.wanted} workloads are ready`
}

/** What nobody has agreed about may take so long. */
const defaultSeconds = 900

/** Whether people have to look at it: what it lacks does not come by itself, or has not come in the time that was agreed. */
export function stateAfter(
  { trouble, isHopeless = false }: Pick<Finished, 'trouble' | 'isHopeless'>,
  { begunMs, rtoSeconds }: { readonly begunMs: number; readonly rtoSeconds: number | null },
  nowMs: number,
): Extract<OperationState, 'running' | 'needs-person' | 'done'> {
  if (trouble === undefined) return 'done'
  const isLate = nowMs - begunMs > (rtoSeconds ?? defaultSeconds) * 1000
  return isLate || isHopeless ? 'needs-person' : 'running'
}

/** What is to be done for one object, from what is known of it at both sites. */
import type { Source } from './marks.ts'

export interface Here {
  readonly uid: string
  readonly digest: string
}

export interface There {
  readonly digest: string
  readonly source: Source | undefined
  readonly held: boolean
}

/** Digests that were seen to belong together: what was written, and what the other cluster made of it. */
export interface Settled {
  readonly here: string
  readonly there: string
}

/** `stranger`: only at the standby, and not a copy of what was in this namespace, so it is left as it is. */
export type Due = 'nothing' | 'write' | 'remove' | 'stranger'

export function dueOf(
  here: Here | undefined,
  there: There | undefined,
  namespaceUid: string,
  settled: Settled | undefined,
): Due {
  if (!here) {
    if (!there) return 'nothing'
    // Where the namespace it came from was made anew, that its object is not there any more says nothing.
    return there.source?.namespaceUid === namespaceUid ? 'remove' : 'stranger'
  }
  if (!there) return 'write'
  const isSaid = here.digest === there.digest || (settled?.here === here.digest && settled.there === there.digest)
  const isMarked = there.source?.uid === here.uid && there.source.namespaceUid === namespaceUid
  return isSaid && isMarked && there.held ? 'nothing' : 'write'
}

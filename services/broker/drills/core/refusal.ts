/** Why a drill of a hosting cannot be held now. Pure. */
import type { DrillKind } from '../../../../schemas/index.ts'
import { type Said, said } from '../../../shared/said.ts'

export interface Seat {
  readonly id: string
  readonly slug: string
  readonly contact: string
}

/** A hosting as it stands, as far as a drill depends on it. */
export interface Standing {
  readonly wanted: string
  readonly mode: string
  readonly activity: string
  readonly primary: Seat | undefined
  readonly standby: Seat | undefined
  /** The engine has found that what was promised is not kept. */
  readonly broken: boolean
  /** Ids of what is not over: of the hosting itself, and of others that go from or to one of its sites. */
  readonly operation: string | undefined
  readonly besides: string | undefined
  readonly drill: string | undefined
  /** What holds its data, which nothing brings into a shadow. */
  readonly data: readonly string[]
  /** Live drills are held at set times, and it is none of them. */
  readonly outsideWindow: boolean
}

/** `target`: where it is asked to come up; where it falls back to when undefined. */
export function refusalOf(standing: Standing, kind: DrillKind, target: string | undefined): Said | undefined {
  return asItStands(standing, target) ?? (kind === 'plan' ? undefined : asIsSeen(standing, kind))
}

function asItStands(standing: Standing, target: string | undefined): Said | undefined {
  const { primary, standby, drill } = standing
  if (standing.wanted !== 'running') return said(`it is ${standing.wanted}`, 'het wordt beëindigd')
  if (standing.mode === 'none') return noFallback
  if (!primary) return said('it has not been placed', 'het is nog nergens geplaatst')
  if (target === primary.id)
    return said(
      `it runs at ${primary.slug}: a drill is held where it falls back to`,
      `het draait bij ${primary.slug}: een test wordt gehouden waar het naartoe uitwijkt`,
    )
  if (!standby)
    return said(
      'it has no standby: what would be tried does not exist',
      'het heeft geen uitwijk die paraat staat: wat beproefd zou worden bestaat niet',
    )
  if (target !== undefined && target !== standby.id)
    return said(
      `it does not fall back there but to ${standby.slug}`,
      `het wijkt daar niet naartoe uit maar naar ${standby.slug}`,
    )
  return drill === undefined ? undefined : notOver(drill)
}

function asIsSeen(standing: Standing, kind: DrillKind): Said | undefined {
  const { primary, standby, operation, besides } = standing
  if (operation !== undefined)
    return said(`operation ${operation} of it is not over yet`, `operatie ${operation} ervan is nog niet voorbij`)
  if (besides !== undefined)
    return said(
      `operation ${besides} is under way at one of its datacenters`,
      `operatie ${besides} is gaande bij een van zijn datacenters`,
    )
  if (standing.broken)
    return said(
      'what was promised to it is not kept just now, so nothing is spared for a drill',
      'wat eraan is toegezegd wordt nu niet nagekomen, dus voor een test is niets over',
    )
  const silent = [primary, standby].find((seat) => seat && seat.contact !== 'reachable')
  if (silent) return said(`${silent.slug} is ${silent.contact}`, `${silent.slug} antwoordt niet (${silent.contact})`)
  return unfitOf(standing, kind) ?? (kind === 'live' && standing.outsideWindow ? outsideWindow : undefined)
}

const noFallback = said('it has no fallback', 'het heeft geen uitwijk')

/** Of a drill that is under way. */
export const notOver = (drill: string): Said =>
  said(`drill ${drill} of it is not over yet`, `test ${drill} ervan is nog niet voorbij`)

export const outsideWindow = said(
  'live drills of it have a window, and it is not open now',
  'echte tests ervan hebben een venster, en dat is nu niet open',
)

/** Why no drill of this kind says anything of the hosting, whenever it is held. */
export function unfitOf(
  { mode, data, activity }: Pick<Standing, 'mode' | 'data' | 'activity'>,
  kind: DrillKind,
): Said | undefined {
  if (mode === 'none') return noFallback
  if (kind === 'shadow' && data.length > 0)
    return said(
      `its data (${data.join(', ')}) is not brought into a shadow, without which it would not start: hold a live drill`,
      `zijn data (${data.join(', ')}) komt niet in een schaduw, en zonder start het niet: houd een echte test`,
    )
  if (kind === 'live' && activity === 'shared')
    return said(
      'it may be active in several places, so nothing is handed over',
      'het mag op meer plaatsen actief zijn, dus er wordt niets overgedragen',
    )
  return undefined
}

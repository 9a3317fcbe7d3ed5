/** How far the objects and data of a hosting are at its standby, on a terminal. */
import type { MirrorState, Placement } from '../../schemas/index.ts'
import { line, type Paint } from './text.ts'

/** Empty where there is nothing to tell yet. */
export function mirrorsText(placements: readonly Placement[], paint: Paint): string {
  return placements.map(({ datacenter, mirror }) => (mirror ? mirrorText(datacenter, mirror, paint) : '')).join('')
}

function mirrorText(
  datacenter: string,
  { syncedAt, behindSince, objects, ...told }: MirrorState,
  paint: Paint,
): string {
  const count = objects === null ? 'objects' : `${objects} objects`
  const head =
    behindSince === null && syncedAt !== null
      ? line`\nMirror at ${datacenter}: ` + paint('good', line`${count}, nothing is lacking (${syncedAt})`)
      : line`\nMirror at ${datacenter}: ` +
        paint('doubtful', line`${count}, behind since ${behindSince ?? 'the beginning'}`)
  return [
    head,
    ...(told.problem === null ? [] : [line`  ${told.problem}`]),
    ...told.differences.map(
      ({ kind, name, what, reason }) => line`  ${what}  ${kind}/${name}${reason ? `: ${reason}` : ''}`,
    ),
    ...told.data.map(dataText),
    '',
  ].join('\n')
}

function dataText({ kind, name, goodAt, problem }: MirrorState['data'][number]): string {
  const copy = kind === 'undeclared' ? '' : `, last good copy ${goodAt ?? 'unknown'}`
  return line`  data  ${kind} ${name}${copy}${problem ? `: ${problem}` : ''}`
}

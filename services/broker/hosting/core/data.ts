/** What cannot be asked of declared data all at once. */
import type { DataInput } from '../../../../schemas/index.ts'

/** Two that copy the same would each bring their own back. */
export function dataContradictions(data: readonly DataInput[] | undefined): { pointer: string; message: string }[] {
  const seen = new Set<string>()
  const isAll = data?.some(({ kind }) => kind === 'velero') === true
  return (data ?? []).flatMap(({ kind, name }, index) => {
    const key = kind === 'velero' ? kind : `${kind} ${name}`
    const isTwice = seen.has(key)
    seen.add(key)
    if (isTwice) return [{ pointer: `/data/${index}`, message: 'is declared twice' }]
    return isAll && kind === 'volsync'
      ? [{ pointer: `/data/${index}`, message: 'is a volume, and velero copies all of them' }]
      : []
  })
}

/** The bound that needs no solver: each hosting as if it were alone with the datacenters. */
import { createWorld } from '../snapshot.ts'
import { createDraft, put, type Scene } from './draft.ts'
import type { Bound } from './model.ts'
import { relocate } from './relocate.ts'

/** No plan has a better tally: what each needs at least, added up; others only take room away. */
export function boundAlone(scene: Scene): Bound {
  const empty = { ...scene, snapshot: { ...scene.snapshot, hostings: [] } }
  const draft = { ...createDraft(empty), world: createWorld(empty.snapshot, scene.now), work: Number.POSITIVE_INFINITY }
  const free = { units: new Map(), shunnedBy: new Map() }
  let [unmoved, ejected, weighed] = [0, 0, 0]
  for (const id of scene.must) {
    const placed = scene.before.get(id)
    if (!placed) continue
    const { together: _, apart: __, ...constraints } = placed.demand.constraints
    put(draft, id, { ...placed, demand: { ...placed.demand, constraints } })
    const price = relocate(draft, free, [id], { leaving: scene.closed })
    put(draft, id, undefined)
    if (!price) unmoved++
    else {
      ejected += price.extra
      weighed += price.weighed
    }
  }
  return { unmoved, ejected, weighed, by: 'alone' }
}

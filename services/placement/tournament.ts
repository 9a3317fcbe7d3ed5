/**
 * A tree of upper bounds over datacenters: each node holds per column the most of all leaves below it, so that a walk
 * passes by whole branches in which nothing can fit.
 */

export interface Tournament {
  readonly leaves: number
  /** Columns per node. */
  readonly width: number
  /** The leaves' level, a power of two. */
  readonly size: number
  /** Node 1 is the root, 2i and 2i + 1 are below i, leaf l is `size + l`. */
  readonly bounds: Float64Array
}

/** All bounds are -Infinity: nothing fits anywhere. */
export function createTournament(leaves: number, width: number): Tournament {
  let size = 1
  while (size < leaves) size *= 2
  return { leaves, width, size, bounds: new Float64Array(2 * size * width).fill(Number.NEGATIVE_INFINITY) }
}

/** Sets the bounds of a leaf and of what is above it, as far as that changes. O(width × log leaves). */
export function setLeaf({ width, size, bounds }: Tournament, leaf: number, vector: ArrayLike<number>): void {
  let node = size + leaf
  for (let k = 0; k < width; k++) bounds[node * width + k] = vector[k] ?? Number.NEGATIVE_INFINITY
  for (node >>= 1; node >= 1; node >>= 1) {
    let changed = false
    for (let k = 0; k < width; k++) {
      const left = bounds[2 * node * width + k] ?? 0
      const right = bounds[(2 * node + 1) * width + k] ?? 0
      const most = Math.max(left, right)
      if (most === bounds[node * width + k]) continue
      bounds[node * width + k] = most
      changed = true
    }
    if (!changed) return
  }
}

/** What is asked of some columns. */
export interface Asked {
  readonly columns: readonly number[]
  readonly amounts: readonly number[]
}

/** The first leaf from `from` on whose bounds are all at least what is asked, -1 when there is none. */
export function nextLeaf(tree: Tournament, from: number, asked: Asked): number {
  const { leaves, width, size, bounds } = tree
  if (from >= leaves) return -1
  let node = size + from
  for (;;) {
    if (reaches(bounds, node * width, asked)) {
      if (node >= size) return node - size < leaves ? node - size : -1
      node *= 2
      continue
    }
    // To the right; from a right child first up, and past the last there is no more.
    while (node % 2 === 1) {
      if ((node & (node + 1)) === 0) return -1
      node >>= 1
    }
    node++
  }
}

function reaches(bounds: Float64Array, at: number, { columns, amounts }: Asked): boolean {
  for (let i = 0; i < columns.length; i++) if ((bounds[at + (columns[i] ?? 0)] ?? 0) < (amounts[i] ?? 0)) return false
  return true
}

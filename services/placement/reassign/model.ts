/**
 * What may be reassigned, as flat arrays: machines that carry processes of services, in the terms of the machine
 * reassignment problem (ROADEF/EURO 2012). For us a machine is a datacenter, a process a hosting, a service the hostings
 * that may not share a datacenter, a location a failure domain and a neighbourhood a region in which dependencies are met.
 */

/** Lists of different length in two arrays: those of `i` stand in `items` from `start[i]` to before `start[i + 1]`. */
export interface Lists {
  readonly start: Int32Array
  readonly items: Int32Array
}

/**
 * All figures are whole numbers, and all sums below 2^53. A row of `x` numbers belonging to `i` starts at `i * x`.
 * Draining a machine needs no field of its own: give it a high cost in `machineMoveCost`, its own diagonal included.
 */
export interface Instance {
  readonly resources: number
  readonly machines: number
  readonly services: number
  readonly processes: number
  readonly locations: number
  readonly neighbourhoods: number
  /** Per resource: 1 when a process that moves holds it on its old machine as well, until all moves are done. */
  readonly transient: Uint8Array
  /** Per resource: the cost of one unit above the safety capacity. */
  readonly loadWeight: Float64Array
  readonly location: Int32Array
  readonly neighbourhood: Int32Array
  /** Per machine and resource: the hard bound, and the one above which load costs. */
  readonly capacity: Float64Array
  readonly safetyCapacity: Float64Array
  /** From the machine of the row to that of the column. */
  readonly machineMoveCost: Int32Array
  /** Per service: in how many locations it must at least have a process. */
  readonly spreadMin: Int32Array
  /** Per service: those that must be in every neighbourhood where it is; and the same the other way round. */
  readonly dependencies: Lists
  readonly dependents: Lists
  readonly service: Int32Array
  /** Per process and resource; a last row of zeros stands for no process. */
  readonly requirement: Float64Array
  readonly processMoveCost: Float64Array
  readonly balances: readonly Balance[]
  readonly processMoveWeight: number
  readonly serviceMoveWeight: number
  readonly machineMoveWeight: number
  /** Per process: the machine it is on before anything moves. */
  readonly initial: Int32Array
  /** How many processes may end on another machine than they began; Infinity when that is free. */
  readonly movesMax: number
}

/** Of every machine `target` units of `of` should be free for each free unit of `per`; each one short costs `weight`. */
export interface Balance {
  readonly per: number
  readonly of: number
  readonly target: number
  readonly weight: number
}

/** The other direction of the lists, whose items are below `count`. */
export function inverted({ start, items }: Lists, count: number): Lists {
  const reverse: number[][] = Array.from({ length: count }, () => [])
  for (let i = 0; i + 1 < start.length; i++) {
    for (let k = start[i]!; k < start[i + 1]!; k++) reverse[items[k]!]!.push(i)
  }
  return listsOf(reverse)
}

export function listsOf(lists: readonly (readonly number[])[]): Lists {
  const start = new Int32Array(lists.length + 1)
  for (const [i, list] of lists.entries()) start[i + 1] = start[i]! + list.length
  return { start, items: Int32Array.from(lists.flat()) }
}

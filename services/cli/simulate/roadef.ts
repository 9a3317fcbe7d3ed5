/** Reads the files of the machine reassignment problem (ROADEF/EURO 2012): a model, and an assignment to begin with. */
import { type Balance, type Instance, inverted, listsOf } from '../../placement/index.ts'
import { usage } from '../errors.ts'

/** What a file may ask for: what the largest published instances have. */
const limits = { resources: 20, machines: 5_000, services: 50_000, processes: 50_000, balances: 20, bytes: 2 ** 28 }

interface Reader {
  /** The next number, at most `most`; `what` names it when it is wrong. */
  take(what: string, most?: number): number
  /** Throws unless everything was read. */
  end(): void
}

/** Throws a CliError that names the file, the line, and what should stand there. */
export function parseRoadef(model: string, assignment: string, names = { model: 'model', assignment: 'assignment' }) {
  const file = reader(model, names.model)
  const resources = file.take('number of resources', limits.resources)
  const transient = new Uint8Array(resources)
  const loadWeight = new Float64Array(resources)
  for (let r = 0; r < resources; r++) {
    transient[r] = file.take(`transient of resource ${r}`, 1)
    loadWeight[r] = file.take(`weight of resource ${r}`)
  }
  const machines = readMachines(file, resources)
  const services = readServices(file)
  const processes = readProcesses(file, resources, services.services)
  const balances = readBalances(file, resources)
  const processMoveWeight = file.take('weight of process moves')
  const serviceMoveWeight = file.take('weight of service moves')
  const machineMoveWeight = file.take('weight of machine moves')
  file.end()
  const initial = readAssignment(reader(assignment, names.assignment), processes.processes, machines.machines)
  const weights = { processMoveWeight, serviceMoveWeight, machineMoveWeight }
  const instance: Instance = {
    resources,
    transient,
    loadWeight,
    ...machines,
    ...services,
    ...processes,
    balances,
    ...weights,
    initial,
    movesMax: Number.POSITIVE_INFINITY,
  }
  return instance
}

function readMachines(file: Reader, resources: number) {
  const machines = file.take('number of machines', limits.machines)
  const location = new Int32Array(machines)
  const neighbourhood = new Int32Array(machines)
  const capacity = new Float64Array(machines * resources)
  const safetyCapacity = new Float64Array(machines * resources)
  const machineMoveCost = new Int32Array(machines * machines)
  for (let m = 0; m < machines; m++) {
    neighbourhood[m] = file.take(`neighbourhood of machine ${m}`, limits.machines - 1)
    location[m] = file.take(`location of machine ${m}`, limits.machines - 1)
    for (let r = 0; r < resources; r++) capacity[m * resources + r] = file.take(`capacity of machine ${m}`)
    for (let r = 0; r < resources; r++) safetyCapacity[m * resources + r] = file.take(`safety capacity of machine ${m}`)
    for (let to = 0; to < machines; to++) machineMoveCost[m * machines + to] = file.take(`move cost of machine ${m}`)
  }
  const count = (ids: Int32Array) => ids.reduce((most, id) => Math.max(most, id), -1) + 1
  const [locations, neighbourhoods] = [count(location), count(neighbourhood)]
  return { machines, locations, neighbourhoods, location, neighbourhood, capacity, safetyCapacity, machineMoveCost }
}

function readServices(file: Reader) {
  const services = file.take('number of services', limits.services)
  const spreadMin = new Int32Array(services)
  const needed: number[][] = []
  for (let s = 0; s < services; s++) {
    spreadMin[s] = file.take(`spread of service ${s}`)
    const count = file.take(`number of dependencies of service ${s}`, services)
    const list = Array.from({ length: count }, () => file.take(`dependency of service ${s}`, services - 1))
    needed.push([...new Set(list)].filter((other) => other !== s))
  }
  const dependencies = listsOf(needed)
  return { services, spreadMin, dependencies, dependents: inverted(dependencies, services) }
}

function readProcesses(file: Reader, resources: number, services: number) {
  const processes = file.take('number of processes', limits.processes)
  const service = new Int32Array(processes)
  const requirement = new Float64Array((processes + 1) * resources)
  const processMoveCost = new Float64Array(processes)
  for (let p = 0; p < processes; p++) {
    service[p] = file.take(`service of process ${p}`, services - 1)
    for (let r = 0; r < resources; r++) requirement[p * resources + r] = file.take(`requirement of process ${p}`)
    processMoveCost[p] = file.take(`move cost of process ${p}`)
  }
  return { processes, service, requirement, processMoveCost }
}

function readBalances(file: Reader, resources: number): Balance[] {
  const count = file.take('number of balance costs', limits.balances)
  return Array.from({ length: count }, (_, b) => ({
    per: file.take(`first resource of balance cost ${b}`, resources - 1),
    of: file.take(`second resource of balance cost ${b}`, resources - 1),
    target: file.take(`target of balance cost ${b}`),
    weight: file.take(`weight of balance cost ${b}`),
  }))
}

function readAssignment(file: Reader, processes: number, machines: number): Int32Array {
  const initial = Int32Array.from({ length: processes }, (_, p) => file.take(`machine of process ${p}`, machines - 1))
  file.end()
  return initial
}

const largest = 2 ** 31 - 1

function reader(text: string, name: string): Reader {
  if (text.length > limits.bytes) throw usage(`${name} is larger than ${limits.bytes / 2 ** 20} MiB`)
  const words = /\S+/g
  const fail = (at: number, what: string) => {
    const line = text.slice(0, at).split('\n').length
    return usage(`${name} line ${line}: ${what}`)
  }
  return {
    take(what, most = largest) {
      const found = words.exec(text)
      if (!found) throw fail(text.length, `the file ends where the ${what} should stand`)
      const [word] = found
      if (!/^\d{1,10}$/.test(word)) {
        throw fail(found.index, `the ${what} should be a whole number of at least 0, not "${word.slice(0, 40)}"`)
      }
      const value = Number(word)
      if (value > most) throw fail(found.index, `the ${what} is ${value}, and may be at most ${most}`)
      return value
    },
    end() {
      const found = words.exec(text)
      if (found) throw fail(found.index, `nothing should follow, but "${found[0].slice(0, 40)}" does`)
    },
  }
}

/** The options by which a demand is described, shared by `hosting quote` and `hosting request`. */
import { type Command, Option } from 'commander'
import { asIs, euroAmount, instant, number, pair, pairOf, several, wholeNumber } from './flags.ts'

export interface DemandOptions {
  file?: string
  fromManifests?: string
  system?: string
  fallback?: 'none' | 'cold' | 'warm' | 'hot'
  warmReplicas?: number
  minDistance?: number
  differ?: string[]
  region?: string[]
  notRegion?: string[]
  evidence?: string[]
  capability?: string[]
  maxPrice?: number
  weight?: [string, number][]
  together?: string[]
  apart?: string[]
  apartFromSystem?: string[]
  from?: string
  until?: string
  defaultCpu?: string
  defaultMemory?: string
  defaultStorageClass?: string
  storageClass?: [string, string][]
  jobs: 'count' | 'leave-out'
}

/** Adds them to a command. */
export function demandOptions(command: Command): Command {
  return command
    .option('-f, --file <file>', 'the request, YAML or JSON with the fields of the API; - is standard input')
    .option('--from-manifests <file>', 'Kubernetes manifests, as `helm template` prints them; - is standard input')
    .option('--system <slug>', 'the system that is hosted')
    .addOption(
      new Option('--fallback <mode>', 'a standby at another site that runs nothing, a little or all, or none').choices([
        'none',
        'cold',
        'warm',
        'hot',
      ]),
    )
    .option('--warm-replicas <number>', 'of each component, what a warm standby runs; 1 when absent', wholeNumber)
    .option('--min-distance <km>', 'from primary to standby at least', number)
    .option(
      '--differ <kind>',
      'kind of failure domain that primary and standby must not share; may be repeated',
      several(asIs),
    )
    .option('--region <region>', 'only in this region; may be repeated', several(asIs))
    .option('--not-region <region>', 'not in this region; may be repeated', several(asIs))
    .option('--evidence <kind>', 'only with this evidence in force, such as iso27001; may be repeated', several(asIs))
    .option('--capability <word>', 'only where this is, such as gpu; may be repeated', several(asIs))
    .option('--max-price <euros>', 'at most so much a month', (text: string) => euroAmount(text, 2))
    .option('--together <hosting>', 'runs where this hosting of yours runs; may be repeated', several(asIs))
    .option(
      '--apart <hosting>',
      'nowhere that this hosting of yours runs or falls back; may be repeated',
      several(asIs),
    )
    .option('--apart-from-system <slug>', 'the same for all hostings of this system; may be repeated', several(asIs))
    .option(
      '--weight <term=percent>',
      'how much price, balance, distance, energy or sharedReserve counts; may be repeated',
      several(pairOf(wholeNumber)),
    )
    .option('--from <when>', 'date or instant; now when absent', instant)
    .option('--until <when>', 'date or instant, not itself included; open when absent', instant)
    .option('--default-cpu <quantity>', 'for containers in manifests that request none')
    .option('--default-memory <quantity>', 'for containers in manifests that request none')
    .option('--default-storage-class <class>', 'for claims in manifests that name none')
    .option(
      '--storage-class <from=to>',
      'class in the manifests, class in the federation; may be repeated',
      several(pair),
    )
    .addOption(
      new Option('--jobs <how>', 'Jobs and CronJobs in manifests').choices(['count', 'leave-out']).default('count'),
    )
}

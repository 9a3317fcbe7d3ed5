/** Reads the Dockerfile and takes its steps without an engine, so that what the image would hold can be looked at and run. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { filesUnder, root } from '../../scripts/sources.ts'

export interface Step {
  readonly instruction: string
  readonly text: string
}

export interface Stage {
  readonly base: string
  /** Undefined for the last one, which is the image. */
  readonly name: string | undefined
  readonly steps: readonly Step[]
}

/** The stages in their order; variables of the base are filled in with the defaults before the first stage. */
export function readDockerfile(text = readFileSync(join(root, 'Dockerfile'), 'utf8')): Stage[] {
  const lines = text.replace(/^#.*\n/gm, '').replace(/\\\n\s*/g, '')
  const defaults = new Map<string, string>()
  const stages: { base: string; name: string | undefined; steps: Step[] }[] = []
  for (const line of lines.split('\n').filter((line) => line.trim() !== '')) {
    const [, instruction = '', text = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
    if (instruction === '') throw new Error(`this is no line of a Dockerfile: ${line}`)
    const [image = '', , name] = text.split(' ')
    const current = stages.at(-1)
    if (instruction === 'FROM') {
      const base = image.replace(/\$\{(\w+)\}/g, (_, variable: string) => defaults.get(variable) ?? '')
      stages.push({ base, name, steps: [] })
    } else if (current) current.steps.push({ instruction, text })
    else defaults.set(...(text.split('=', 2) as [string, string]))
  }
  return stages
}

/** The arguments of each step with this instruction. */
export const textsOf = (stage: Stage, instruction: string): string[] =>
  stage.steps.filter((step) => step.instruction === instruction).map((step) => step.text)

/** `NAME=value` pairs of ENV and LABEL, quotes taken off. */
export function pairsOf(stage: Stage, instruction: 'ENV' | 'LABEL'): Record<string, string> {
  const pairs = textsOf(stage, instruction).flatMap((text) => [...text.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S+))/g)])
  return Object.fromEntries(pairs.map(([, name = '', quoted, plain]) => [name, quoted ?? plain ?? '']))
}

/** Where a COPY takes from, a stage or the checkout, and what it copies whereto. */
export function readCopy(text: string): { from: string | undefined; sources: string[]; target: string } {
  const [, from] = /^--from=(\S+)/.exec(text) ?? []
  const paths = text.split(' ').filter((word) => !word.startsWith('--'))
  return { from, sources: paths.slice(0, -1), target: paths.at(-1) ?? '' }
}

/** The files of the checkout that .dockerignore lets through to the build. */
export function buildContext(): string[] {
  const rules = readFileSync(join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ pattern: patternOf(line.replace(/^!/, '')), excludes: !line.startsWith('!') }))
  const isSent = (file: string) => {
    const parts = file.split('/')
    const paths = parts.map((_, index) => parts.slice(0, index + 1).join('/'))
    const last = rules.findLast(({ pattern }) => paths.some((path) => pattern.test(path)))
    return !last?.excludes
  }
  return filesUnder('.').filter(isSent)
}

/** A star stands for any name, one that begins with a dot included. */
const patternOf = (line: string) => new RegExp(`^${line.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`)

/** Files of the build context that a source of COPY names, itself or the folder it is. */
export const filesOf = (source: string, context: readonly string[]): string[] =>
  context.filter((file) => file === source || file.startsWith(`${source}/`))

/**
 * Takes the steps of each stage in a folder of its own below `folder`; returns that of the image. What the base image
 * holds is not there, so a step that only removes from it has nothing to do. Throws at a step it does not know.
 */
export function replay(stages: readonly Stage[], folder: string, env: NodeJS.ProcessEnv): string {
  const context = buildContext()
  const rootOf = (name: string | undefined) => join(folder, name ?? 'image')
  for (const stage of stages) {
    const [workdir = '/'] = textsOf(stage, 'WORKDIR')
    const here = join(rootOf(stage.name), workdir)
    mkdirSync(here, { recursive: true })
    for (const { instruction, text } of stage.steps) {
      if (instruction === 'COPY') copy(text, here, context, rootOf)
      else if (instruction === 'RUN' && text.startsWith('npm ci ')) {
        execFileSync('/bin/sh', ['-c', text], {
          cwd: here,
          env: withoutScript(env),
          stdio: ['ignore', 'ignore', 'pipe'],
        })
      } else if (instruction === 'RUN' && !/^rm -rf( +\/(usr\/local|opt)\/\S+)+$/.test(text)) {
        throw new Error(`a step that cannot be taken without an engine: RUN ${text}`)
      }
    }
  }
  return rootOf(undefined)
}

/** What `npm test` tells its children of itself is not for an npm of another folder; where its registry is, is. */
const withoutScript = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !/^(INIT_CWD|npm_(package|lifecycle|command|config_local_prefix))/.test(name),
    ),
  )

function copy(text: string, here: string, context: readonly string[], rootOf: (name: string) => string): void {
  const { from, sources, target } = readCopy(text)
  for (const source of sources) {
    const intoFolder = target.endsWith('/')
    if (from !== undefined) {
      const origin = join(rootOf(from), source)
      if (!existsSync(origin)) throw new Error(`COPY ${text}: ${from} has no ${source}`)
      cpSync(origin, join(here, target), { recursive: true, verbatimSymlinks: true })
      continue
    }
    const files = filesOf(source, context)
    if (files.length === 0) throw new Error(`COPY ${text}: ${source} is not sent to the build`)
    for (const file of files) {
      const to = join(here, target, file === source && intoFolder ? basename(file) : file.slice(source.length))
      mkdirSync(dirname(to), { recursive: true })
      cpSync(join(root, file), to)
    }
  }
}

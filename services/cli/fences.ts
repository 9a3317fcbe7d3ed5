/** `datacenter fencing` and `datacenter fence`: what a datacenter can enforce, and what can cut it off from outside. */
import type { Command } from 'commander'
import type { Fence, FenceInput, Fencing } from '../../schemas/index.ts'
import { usage } from './errors.ts'
import { fenceText } from './fencing-view.ts'
import { limitBytes, readText } from './files.ts'
import { findDatacenter } from './find.ts'
import { number } from './flags.ts'
import { action, type Session, type Shell } from './session.ts'
import { line } from './text.ts'

interface FenceOptions {
  at?: string
  tokenFile?: string
  certificateAuthority?: string
  remove?: true
}

export function fenceCommands(datacenter: Command, shell: Shell): void {
  datacenter
    .command('fencing <name>')
    .description(
      'say what it can enforce: 0 nothing, 1 its agent stops what it lost, 2 a guard on every node, 3 also a fence',
    )
    .requiredOption('--level <number>', '0 to 3', number)
    .requiredOption('--stop-seconds <number>', 'how long stopping takes at most', number)
    .action(
      action<{ level: number; stopSeconds: number }>(
        shell,
        'provider',
        async (session, { level, stopSeconds }, [name = '']) => {
          const { id, slug } = await findDatacenter(session.api(), name)
          const change = session.api().change<Fencing>('PUT', `/datacenters/${id}/fencing`, {
            body: { level, stopSeconds },
          })
          const now = (await session.during('declaring', change)).body
          await session.show(now, () => line`${slug}: level ${now.level}, stops within ${now.stopSeconds} s\n`)
          return undefined
        },
      ),
    )
  datacenter
    .command('fence <name>')
    .description('where the fence is that can cut it off from outside; shown when nothing else is given')
    .option('--at <url>', 'where it is asked, https')
    .option('--token-file <file>', 'what it knows the desk by; - is standard input')
    .option('--certificate-authority <file>', 'PEM of who signed its certificate, where that is not a public one')
    .option('--remove', 'let it be asked no more')
    .action(
      action<FenceOptions>(shell, 'provider', async (session, options, [name = '']) => {
        if (options.remove && (options.at || options.tokenFile)) throw usage('--remove goes with nothing else')
        const { id, slug } = await findDatacenter(session.api(), name)
        const now = await carryOut(session, `/datacenters/${id}/fence`, options)
        const what = options.remove ? 'is asked no more' : `is at ${fenceText(now)}`
        await session.show(now, () => `${line`The fence of ${slug}`} ${what}\n`)
        if (options.at)
          session.remark(`Next: gemeentecloud datacenter fencing ${slug} --level 3 --stop-seconds …, so that it counts`)
        if (options.remove) session.remark('Without it a level of 3 is 2')
        return undefined
      }),
    )
}

async function carryOut(session: Session, path: string, options: FenceOptions): Promise<Fence> {
  const api = session.api()
  if (options.remove) return (await session.during('removing', api.change<Fence>('DELETE', path, {}))).body
  if (options.at === undefined && options.tokenFile === undefined)
    return session.during('reading', api.get<Fence>(path))
  const body = await fenceFrom(session, options)
  return (await session.during('declaring', api.change<Fence>('PUT', path, { body }))).body
}

async function fenceFrom({ io }: Session, options: FenceOptions): Promise<FenceInput> {
  const { at: url, tokenFile, certificateAuthority: ca } = options
  if (url === undefined || tokenFile === undefined) throw usage('--at and --token-file go together')
  if (tokenFile === '-' && ca === '-') throw usage('only one of --token-file and --certificate-authority can be -')
  const token = (await readText(io, tokenFile, limitBytes.kubeconfig)).trim()
  return {
    url,
    token,
    ...(ca !== undefined && { certificateAuthority: await readText(io, ca, limitBytes.kubeconfig) }),
  }
}

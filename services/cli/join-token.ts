/** `datacenter join-token`: a token with which an agent joins, and the commands that use it. */
import type { Command } from 'commander'
import type { JoinToken } from '../../schemas/index.ts'
import { findAccess } from './access.ts'
import { findDatacenter } from './find.ts'
import { number } from './flags.ts'
import { action, type Shell } from './session.ts'
import { line } from './text.ts'

interface Options {
  hours?: number
  replace?: boolean
}

export function joinTokenCommand(datacenter: Command, shell: Shell): void {
  datacenter
    .command('join-token <name>')
    .description('a token with which an agent joins for the datacenter, once; and how to install that')
    .option('--hours <number>', 'how long it is good; 24 when absent, 168 at most', number)
    .option('--replace', 'an agent that has joined may be replaced by one with another key')
    .action(
      action<Options>(shell, 'provider', async (session, options, [name = '']) => {
        const { hours, replace } = options
        const { id, slug } = await findDatacenter(session.api(), name)
        const body = { ...(hours !== undefined && { expiresInHours: hours }), ...(replace && { replacesAgent: true }) }
        const change = session.api().change<JoinToken>('POST', `/datacenters/${id}/join-tokens`, { body })
        const made = (await session.during(line`asking for a token for ${name}`, change)).body
        const { base } = findAccess(session.io, options, 'provider')
        await session.show(made, () => joinText(slug, base, made))
        return undefined
      }),
    )
}

/** The token stands in the environment or in a file, not in the arguments, where every user of a machine can read it. */
function joinText(slug: string, desk: string, { token, expiresAt, tunnels }: JoinToken): string {
  const where = tunnels.length === 0 ? 'This desk has no tunnel: set TUNNEL_PORT and TUNNEL_ADDRESS.\n' : ''
  return `${line`The agent of ${slug} can join until ${expiresAt}, once. The token is shown this once:`}

  ${line`export JOIN_TOKEN=${token}`}

In its cluster, with Helm (no port is opened; it dials out to ${line`${tunnels.join(', ') || 'the desk'}`}):

  kubectl create namespace gemeentecloud-agent
  printf %s "$JOIN_TOKEN" | kubectl --namespace gemeentecloud-agent create secret generic join-token --from-file=token=/dev/stdin
  helm install gemeentecloud-agent charts/gemeentecloud-agent --namespace gemeentecloud-agent \\
    --set image.repository=IMAGE --set ${line`desk.url=${desk}`} --set joinToken.existingSecret.name=join-token

Or as a program on a machine that reaches its API server:

  ${line`DESK_URL=${desk}`} KUBECONFIG=FILE AGENT_DATA=./agent-data npx node services/agent/main.ts

Then: ${line`gemeentecloud datacenter show ${slug}`}
${where}`
}

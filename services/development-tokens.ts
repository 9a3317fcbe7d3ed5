/** A token for each role on this machine, so that everything can be tried at once; never made on a broker of your own. */
import type { Party, Role, Token } from '../schemas/index.ts'
import { createApiClient } from './shared/api-client.ts'
import { base32 } from './shared/ids.ts'
import type { LocalAccess } from './shared/local-access.ts'
import type { Random } from './shared/random.ts'

/** Whose token a role gets. The demonstration has these parties; without it they are admitted here. */
const holders: Record<Exclude<Role, 'loket'>, { name: string; oin: string }> = {
  provider: { name: 'Parkstad', oin: '00000099000000000048' },
  consumer: { name: 'Dimpact', oin: '00000099000000009001' },
  auditor: { name: 'Auditdienst', oin: '00000099000000009009' },
}

/** Adds the tokens that `access` lacks; may be repeated at any time. */
export async function developmentTokens(api: string, access: LocalAccess, random: Random): Promise<void> {
  const client = createApiClient(api, access.tokens.loket)
  for (const [role, holder] of Object.entries(holders) as [keyof typeof holders, { name: string; oin: string }][]) {
    if (access.tokens[role] !== undefined) continue
    const found = await client.get<{ items: Party[] }>(`/parties?oin=${holder.oin}`)
    const party =
      found.items[0] ??
      (await client.send<Party>('POST', '/parties', { ...holder, roles: [role] }, 'development party'))
    const issued = await client.send<Token>(
      'POST',
      `/parties/${party.id}/tokens`,
      { subject: `${role}-development`, role },
      `development token ${base32(random.bytes(16))}`,
    )
    access.tokens[role] = issued.token
  }
}

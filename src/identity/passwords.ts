/**
 * Passwords and secrets as argon2id hashes. One hash takes 19 MiB and tens of milliseconds (OWASP's
 * least setting), so only a few are made at once and a bounded number waits: a flood of logins
 * costs its senders time, not this process its memory.
 */
import { randomBytes } from 'node:crypto'
import { refusal } from './refusal.ts'

const ARGON2ID = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const
const AT_ONCE_MAX = 2
const WAITING_MAX = 64
/** Characters, as Keystone's max_password_length. */
export const PASSWORD_LENGTH_MAX = 4096

export interface Passwords {
  hash(password: string): Promise<string>
  /**
   * Whether the password has that hash; null takes as long and is false. `stillWanted` is called
   * when the turn comes, and may throw. Throws the refusal `busy` when too many wait.
   */
  verify(password: string, hash: string | null, stillWanted?: () => void): Promise<boolean>
}

export function createPasswords(): Passwords {
  let running = 0
  const waiting: (() => void)[] = []
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= AT_ONCE_MAX) {
      if (waiting.length >= WAITING_MAX) throw refusal.busy()
      // The one that ends hands its place over, so nobody can slip in between.
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else running += 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
  let nobodys: Promise<string> | undefined
  const hash = (password: string): Promise<string> =>
    inTurn(() => Bun.password.hash(password, ARGON2ID))
  return {
    hash,
    verify: async (password, known, stillWanted = () => {}) => {
      nobodys ??= Bun.password.hash(generatePassword(), ARGON2ID)
      const against = known ?? (await nobodys)
      const usable = password !== '' && password.length <= PASSWORD_LENGTH_MAX
      const matches = await inTurn(async () => {
        stillWanted()
        return await Bun.password.verify(usable ? password : 'unusable', against)
      })
      return matches && usable && known !== null
    },
  }
}

/** 144 random bits in 24 characters that need no quoting anywhere. */
export function generatePassword(): string {
  return randomBytes(18).toString('base64url').replaceAll('-', 'A').replaceAll('_', 'B')
}

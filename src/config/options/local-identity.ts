/** [local_identity]: users and tokens of our own. Ours; upstream has Keystone for it. */
import { integer, text } from '../scalar.ts'

export const localIdentity = {
  token_expiration: integer('Seconds for which a token is valid.', 3600, {
    min: 60,
    max: 604_800,
  }),
  login_failures_max: integer(
    'Failed logins of a user from one address before each further one makes the next wait longer.',
    5,
    { min: 1, max: 1000 },
  ),
  region_name: text('The region of the catalogue.', 'RegionOne', {
    pattern: /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/,
    takes: 'a name of letters, digits, dots and dashes',
  }),
}

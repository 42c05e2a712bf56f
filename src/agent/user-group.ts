/**
 * The second file which haproxy always gets: what belongs to the amphora and not to the load
 * balancer. The group that goes with user nobody is `nogroup` on Debian and `nobody` elsewhere.
 */
import { readTextIfExists } from '../system/files.ts'

export function renderUserGroup(groups = readTextIfExists('/etc/group') ?? ''): string {
  const group = /^nogroup:/m.test(groups) ? 'nogroup' : 'nobody'
  // `maxconn` can ask for more files than this machine allows. With strict limits haproxy would
  // then refuse to start; without, it warns and takes what it gets.
  return `global\n    group ${group}\n    no strict-limits\n`
}

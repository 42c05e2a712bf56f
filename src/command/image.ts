/** `octavia-lite image`: the image of amphorae. */
import { ARCHITECTURES } from '../image/contents.ts'
import { runBuild } from './image/build.ts'
import { runUpload } from './image/upload.ts'
import { type Command, CommandFailure, EXIT } from './io.ts'

export const command: Command = {
  summary: 'build the image of amphorae, and put it into Glance',
  help: `usage: octavia-lite image build [options]
       octavia-lite image upload [FILE] [options]

build makes the disk image from which a compute service boots amphorae, from Debian's packages and
with this executable as the agent in it. Needs root on a Debian machine with access to its packages;
takes a minute or two. Beside the image, FILE.manifest lists the packages that are in it.

  --output FILE   default octavia-lite-amphora-ARCH.qcow2
  --arch ARCH     ${ARCHITECTURES.join(' or ')}; default: this machine's
  --size MIB      size of the disk; default: as small as can be, about 160
  --ssh-key FILE  public keys, one a line, with which operators may log in as root; keys that
                  the compute service gives are accepted besides. Without any there is no ssh.
  --agent FILE    the octavia-lite to put in; default: this one
  --suite NAME    release of Debian, default bookworm
  --mirror URL    where its packages are, default: Debian's own servers
  --json          print what was made as JSON

upload puts FILE, a qcow2, into Glance, as a private image of the project of the login; default is
what build makes. Of several images with the tag the newest is taken for new amphorae.

  --tag TAG       default amphora, as amp_image_tag of [controller_worker] has it
  --name NAME     default: the name of FILE without .qcow2
  --owner ID      project that gets the image, default: that of the login; needs the role admin
  --json          print what was made as JSON
  --os-cloud NAME and all other --os-... options, as of client commands
`,
  async run(args, io) {
    const [verb, ...rest] = args
    if (verb === 'build') return await runBuild(rest, io)
    if (verb === 'upload') return await runUpload(rest, io)
    throw new CommandFailure(
      "say 'octavia-lite image build' or 'octavia-lite image upload'; see --help",
      EXIT.usage,
    )
  },
}

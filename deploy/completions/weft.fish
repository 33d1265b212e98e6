# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_weft_global_optspecs
    string join \n server= project= o/output= q/quiet v/verbose no-color timeout= config= data-dir= log-format= h/help V/version
end

function __fish_weft_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_weft_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_weft_using_subcommand
    set -l cmd (__fish_weft_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c weft -n "__fish_weft_needs_command" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_needs_command" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_needs_command" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_needs_command" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_needs_command" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_needs_command" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_needs_command" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_needs_command" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_needs_command" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_needs_command" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_needs_command" -s V -l version -d 'Print version'
complete -c weft -n "__fish_weft_needs_command" -f -a "vm" -d 'Virtual machines: make, see, run, stop, remove'
complete -c weft -n "__fish_weft_needs_command" -f -a "vms" -d 'Virtual machines: make, see, run, stop, remove'
complete -c weft -n "__fish_weft_needs_command" -f -a "snapshot" -d 'Snapshots: take, see, go back to, begin from, remove'
complete -c weft -n "__fish_weft_needs_command" -f -a "snapshots" -d 'Snapshots: take, see, go back to, begin from, remove'
complete -c weft -n "__fish_weft_needs_command" -f -a "node" -d 'Nodes: the machines that run VMs'
complete -c weft -n "__fish_weft_needs_command" -f -a "nodes" -d 'Nodes: the machines that run VMs'
complete -c weft -n "__fish_weft_needs_command" -f -a "event" -d 'Events: what happened'
complete -c weft -n "__fish_weft_needs_command" -f -a "events" -d 'Events: what happened'
complete -c weft -n "__fish_weft_needs_command" -f -a "usage" -d 'Usage: what VMs used, live too; its gaps; export'
complete -c weft -n "__fish_weft_needs_command" -f -a "apply" -d 'Make what a manifest asks for, or change what is there to it'
complete -c weft -n "__fish_weft_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c weft -n "__fish_weft_needs_command" -f -a "version" -d 'Print the version'
complete -c weft -n "__fish_weft_needs_command" -f -a "up" -d 'Start everything on this machine: server, store and agent in one process'
complete -c weft -n "__fish_weft_needs_command" -f -a "down" -d 'Stop what `weft up` started, in order'
complete -c weft -n "__fish_weft_needs_command" -f -a "backup" -d 'Write a copy of the live state to a file'
complete -c weft -n "__fish_weft_needs_command" -f -a "restore" -d 'Put the state of a backup into an empty data folder'
complete -c weft -n "__fish_weft_needs_command" -f -a "doctor" -d 'Tell what this machine can run, and what to install for the rest'
complete -c weft -n "__fish_weft_needs_command" -f -a "config" -d 'The configuration: check it, or print what is in force'
complete -c weft -n "__fish_weft_needs_command" -f -a "bench" -d 'Measure weft beside its floors'
complete -c weft -n "__fish_weft_needs_command" -f -a "internal" -d 'What weft\'s own build needs'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "create" -d 'Make a VM; with nothing but a name it gets weft\'s default kernel and root'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "run" -d 'Make a VM and boot it'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "list" -d 'List VMs'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "ls" -d 'List VMs'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "get" -d 'Describe VMs: what was asked, what is, how the last run ended'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "describe" -d 'Describe VMs: what was asked, what is, how the last run ended'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "update" -d 'Change a VM; what it cannot take up while it runs waits for its next boot'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "attach-disk" -d 'Add a disk, while the VM runs where its driver can'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "detach-disk" -d 'Take a disk away that weft did not make'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "resize-disk" -d 'Make a disk longer that weft made'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "attach-nic" -d 'Add an interface'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "detach-nic" -d 'Take an interface away'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "attach-device" -d 'Add a further device: persistent memory, a shared folder, a device of the host'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "detach-device" -d 'Take a further device away'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "attach-vsock" -d 'Give a VM a vsock'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "detach-vsock" -d 'Take a VM\'s vsock away'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "resize" -d 'Give a VM other numbers of CPUs and bytes of memory'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "counters" -d 'Print the counters of a running VM\'s devices'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "nmi" -d 'Interrupt the guest of a running VM in a way that it cannot mask'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "boot" -d 'Run VMs'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "start" -d 'Run VMs'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "shutdown" -d 'Stop VMs: the guest is asked, and ended when its time is up'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "stop" -d 'Stop VMs: the guest is asked, and ended when its time is up'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "pause" -d 'Hold the virtual CPUs of VMs'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "resume" -d 'Let paused VMs go on'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "reboot" -d 'Start the guests of running VMs anew'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "delete" -d 'Remove VMs and what weft made for them; disks given by path are never touched'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "rm" -d 'Remove VMs and what weft made for them; disks given by path are never touched'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "logs" -d 'Print what a guest wrote to its serial console'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "console" -d 'Be at a VM\'s serial console'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "wait" -d 'Wait until a VM is in a phase, a condition holds, or it is gone'
complete -c weft -n "__fish_weft_using_subcommand vm; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "watch" -d 'Show changes of VMs as they come'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l cpus -d 'Virtual CPUs [default: 1]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l memory -d 'Memory, such as 512M or 2GiB [default: 256M]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l image -d 'The image that boots, by name [default: default]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l kernel -d 'The kernel that boots' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l initramfs -d 'The initial RAM file system' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l cmdline -d 'The kernel\'s command line, or words added to the image\'s own' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l firmware -d 'The firmware that boots' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l disk -d 'A disk: path=FILE or size=SIZE, with format=raw|qcow2, ro, root, direct, name=, serial=, queues=' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l nic -d 'An interface: user[,forward=tcp:HOST:GUEST], network=NAME, tap=DEVICE or macvtap=DEVICE, with mac=, ip=, mtu=, name= [default: user]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l vsock -d 'The guest\'s vsock, by its context id, 3 or more [default: none]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l hotplug-memory -d 'Memory that can be plugged while it runs, such as 2G [default: none]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l max-cpus -d 'The most virtual CPUs that can be plugged while it runs [default: --cpus]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l driver -d 'The driver that runs it [default: auto]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l machine -d 'The machine model [default: auto]' -r -f -a "auto\t'The driver\'s choice'
microvm\t'Minimal, without PCI'
pc\t'A classic PC'
q35\t'A PC with PCI Express'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l accel -d 'What executes guest code [default: auto]' -r -f -a "auto\t'KVM where it truly works, software otherwise'
kvm\t'KVM'
tcg\t'Software translation'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l restart -d 'What happens after an exit that nobody asked for [default: never]' -r -f -a "never\t'It stays down'
on-failure\t'It runs again unless the guest powered itself off'
always\t'It runs again'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -s l -l label -d 'A label, as key=value; repeat for more' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -s f -l file -d 'Take the VMs from a manifest, YAML or JSON; - reads standard input' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l request-id -d 'Makes a repetition safe: the same id gets the first answer' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l no-nic -d 'No interface at all'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l shared-memory -d 'Memory that is shared with other processes; vhost-user devices need it'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l dry-run -d 'Check everything and make nothing'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l boot -d 'Boot it as well'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l no-wait -d 'Do not wait until it is made'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l cpus -d 'Virtual CPUs [default: 1]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l memory -d 'Memory, such as 512M or 2GiB [default: 256M]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l image -d 'The image that boots, by name [default: default]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l kernel -d 'The kernel that boots' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l initramfs -d 'The initial RAM file system' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l cmdline -d 'The kernel\'s command line, or words added to the image\'s own' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l firmware -d 'The firmware that boots' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l disk -d 'A disk: path=FILE or size=SIZE, with format=raw|qcow2, ro, root, direct, name=, serial=, queues=' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l nic -d 'An interface: user[,forward=tcp:HOST:GUEST], network=NAME, tap=DEVICE or macvtap=DEVICE, with mac=, ip=, mtu=, name= [default: user]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l vsock -d 'The guest\'s vsock, by its context id, 3 or more [default: none]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l hotplug-memory -d 'Memory that can be plugged while it runs, such as 2G [default: none]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l max-cpus -d 'The most virtual CPUs that can be plugged while it runs [default: --cpus]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l driver -d 'The driver that runs it [default: auto]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l machine -d 'The machine model [default: auto]' -r -f -a "auto\t'The driver\'s choice'
microvm\t'Minimal, without PCI'
pc\t'A classic PC'
q35\t'A PC with PCI Express'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l accel -d 'What executes guest code [default: auto]' -r -f -a "auto\t'KVM where it truly works, software otherwise'
kvm\t'KVM'
tcg\t'Software translation'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l restart -d 'What happens after an exit that nobody asked for [default: never]' -r -f -a "never\t'It stays down'
on-failure\t'It runs again unless the guest powered itself off'
always\t'It runs again'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -s l -l label -d 'A label, as key=value; repeat for more' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -s f -l file -d 'Take the VMs from a manifest, YAML or JSON; - reads standard input' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l request-id -d 'Makes a repetition safe: the same id gets the first answer' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l escape -d 'The key that leaves the console, such as ^] or ^A; `none` for no key' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l no-nic -d 'No interface at all'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l shared-memory -d 'Memory that is shared with other processes; vhost-user devices need it'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l dry-run -d 'Check everything and make nothing'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l console -d 'Then be at its console'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from list" -l filter -d 'Only VMs that this filter fits, such as \'phase = RUNNING\'' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from list" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from list" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from list" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from list" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from list" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from list" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from list" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from list" -s A -l all-projects -d 'VMs of all projects'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from list" -s w -l watch -d 'Then show changes as they come'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from list" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from ls" -l filter -d 'Only VMs that this filter fits, such as \'phase = RUNNING\'' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from ls" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from ls" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from ls" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from ls" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from ls" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from ls" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from ls" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from ls" -s A -l all-projects -d 'VMs of all projects'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from ls" -s w -l watch -d 'Then show changes as they come'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from ls" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from get" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from get" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from get" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from get" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from get" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from get" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from get" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from get" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from get" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from describe" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from describe" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from describe" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from describe" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from describe" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from describe" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from describe" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from describe" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from describe" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from describe" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from describe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from update" -s l -l label -d 'Set a label with key=value, take one away with key-; repeat for more' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from update" -l cpus -d 'Virtual CPUs' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from update" -l memory -d 'Memory, such as 512M or 2GiB' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from update" -l restart -d 'What happens after an exit that nobody asked for' -r -f -a "never\t'It stays down'
on-failure\t'It runs again unless the guest powered itself off'
always\t'It runs again'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from update" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from update" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from update" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from update" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from update" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from update" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from update" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from update" -l dry-run -d 'Check everything and change nothing'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from update" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from update" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from update" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -l path -d 'A file or block device that exists; weft never deletes it' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -l size -d 'A new, empty disk of this size, such as 10G; it goes with the VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -l name -d 'Its name in the VM [default: the first free one of disk0, disk1 and so on]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -l format -d 'How its bytes are laid out' -r -f -a "raw\t'Byte by byte'
qcow2\t'QEMU\'s copy-on-write format'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -l serial -d 'The serial number that the guest sees' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -l read-only -d 'The guest cannot write'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -l direct -d 'Past the host\'s page cache'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-disk" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-disk" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-disk" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-disk" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-disk" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-disk" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-disk" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-disk" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-disk" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-disk" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-disk" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-disk" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-disk" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-disk" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize-disk" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize-disk" -l size -d 'Its new size, such as 20G; not less than it has' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize-disk" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize-disk" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize-disk" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize-disk" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize-disk" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize-disk" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize-disk" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize-disk" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize-disk" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize-disk" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize-disk" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize-disk" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -l network -d 'A network, by name [default: a private network inside the VMM]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -l tap -d 'A tap device of the host' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -l macvtap -d 'A macvtap device of the host' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -l name -d 'Its name in the VM [default: the first free one of nic0, nic1 and so on]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -l mac -d 'Its hardware address [default: made from the VM\'s id]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -l ip -d 'The address that the guest should have' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -l mtu -d 'The largest packet in bytes [default: the network\'s own]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-nic" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-nic" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-nic" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-nic" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-nic" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-nic" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-nic" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-nic" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-nic" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-nic" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-nic" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-nic" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-nic" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-nic" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -l pmem -d 'Persistent memory that is backed by this file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -l share -d 'A folder of the host, by the Unix socket of the virtio-fs daemon that serves it' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -l tag -d 'The name by which the guest mounts the folder' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -l vdpa -d 'A vDPA device of the host, such as /dev/vhost-vdpa-0' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -l passthrough -d 'A PCI device of the host, by its folder in sysfs' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -l vfio-user -d 'A PCI device that another process plays, by its Unix socket' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -l name -d 'Its name in the VM [default: the first free one of device0, device1 and so on]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -l read-only -d 'What the guest writes does not reach the file'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-device" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-device" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-device" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-device" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-device" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-device" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-device" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-device" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-device" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-device" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-device" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-device" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-device" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-device" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-vsock" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-vsock" -l cid -d 'Its context id, 3 or more' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-vsock" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-vsock" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-vsock" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-vsock" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-vsock" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-vsock" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-vsock" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-vsock" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-vsock" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-vsock" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-vsock" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from attach-vsock" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-vsock" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-vsock" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-vsock" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-vsock" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-vsock" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-vsock" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-vsock" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-vsock" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-vsock" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-vsock" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-vsock" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-vsock" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from detach-vsock" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize" -l cpus -d 'Virtual CPUs' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize" -l memory -d 'Memory, such as 512M or 2GiB' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize" -l balloon -d 'What the balloon takes from the guest, such as 128M or 0B' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resize" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from counters" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from counters" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from counters" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from counters" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from counters" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from counters" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from counters" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from counters" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from counters" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from counters" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from counters" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from nmi" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from nmi" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from nmi" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from nmi" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from nmi" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from nmi" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from nmi" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from nmi" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from nmi" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from nmi" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from nmi" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from nmi" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from nmi" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from boot" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from boot" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from boot" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from boot" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from boot" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from boot" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from boot" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from boot" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from boot" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from boot" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from boot" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from boot" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from boot" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from start" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from start" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from start" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from start" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from start" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from start" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from start" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from start" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from start" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from start" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from start" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from start" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from shutdown" -l grace -d 'How long the guest is given' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from shutdown" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from shutdown" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from shutdown" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from shutdown" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from shutdown" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from shutdown" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from shutdown" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from shutdown" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from shutdown" -l force -d 'Do not ask the guest: end it at once'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from shutdown" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from shutdown" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from shutdown" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from shutdown" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from shutdown" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from stop" -l grace -d 'How long the guest is given' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from stop" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from stop" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from stop" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from stop" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from stop" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from stop" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from stop" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from stop" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from stop" -l force -d 'Do not ask the guest: end it at once'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from stop" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from stop" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from stop" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from stop" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from pause" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from pause" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from pause" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from pause" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from pause" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from pause" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from pause" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from pause" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from pause" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from pause" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from pause" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from pause" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from pause" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resume" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resume" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resume" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resume" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resume" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resume" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resume" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resume" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resume" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resume" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resume" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resume" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from reboot" -l grace -d 'How long the guest is given' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from reboot" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from reboot" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from reboot" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from reboot" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from reboot" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from reboot" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from reboot" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from reboot" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from reboot" -l force -d 'Do not ask the guest: end it at once'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from reboot" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from reboot" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from reboot" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from reboot" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from reboot" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from delete" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from delete" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from delete" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from delete" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from delete" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from delete" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from delete" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from delete" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from delete" -l force -d 'Even while it runs'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from delete" -l ignore-missing -d 'Absence is success'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from delete" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from delete" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from delete" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from rm" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from rm" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from rm" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from rm" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from rm" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from rm" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from rm" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from rm" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from rm" -l force -d 'Even while it runs'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from rm" -l ignore-missing -d 'Absence is success'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from rm" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from rm" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from logs" -l tail -d 'Only the last so many lines, or bytes where a unit is given, such as 64K' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from logs" -l offset -d 'From this byte, counted from the first that the guest ever wrote' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from logs" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from logs" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from logs" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from logs" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from logs" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from logs" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from logs" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from logs" -s f -l follow -d 'Go on as the guest writes'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from logs" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from logs" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from logs" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from console" -l escape -d 'The key that leaves, such as ^] or ^A; `none` for no key' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from console" -l linger -d 'How long the guest may be silent after the end of piped input before it is left' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from console" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from console" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from console" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from console" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from console" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from console" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from console" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from console" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from console" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from console" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from console" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from wait" -l for -d 'A phase such as RUNNING, a condition such as Ready, or gone' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from wait" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from wait" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from wait" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from wait" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from wait" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from wait" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from wait" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from wait" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from wait" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from wait" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from watch" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from watch" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from watch" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from watch" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from watch" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from watch" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from watch" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from watch" -s A -l all-projects -d 'VMs of all projects'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from watch" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from watch" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from watch" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vm; and __fish_seen_subcommand_from watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "create" -d 'Make a VM; with nothing but a name it gets weft\'s default kernel and root'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "run" -d 'Make a VM and boot it'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "list" -d 'List VMs'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "ls" -d 'List VMs'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "get" -d 'Describe VMs: what was asked, what is, how the last run ended'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "describe" -d 'Describe VMs: what was asked, what is, how the last run ended'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "update" -d 'Change a VM; what it cannot take up while it runs waits for its next boot'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "attach-disk" -d 'Add a disk, while the VM runs where its driver can'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "detach-disk" -d 'Take a disk away that weft did not make'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "resize-disk" -d 'Make a disk longer that weft made'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "attach-nic" -d 'Add an interface'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "detach-nic" -d 'Take an interface away'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "attach-device" -d 'Add a further device: persistent memory, a shared folder, a device of the host'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "detach-device" -d 'Take a further device away'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "attach-vsock" -d 'Give a VM a vsock'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "detach-vsock" -d 'Take a VM\'s vsock away'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "resize" -d 'Give a VM other numbers of CPUs and bytes of memory'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "counters" -d 'Print the counters of a running VM\'s devices'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "nmi" -d 'Interrupt the guest of a running VM in a way that it cannot mask'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "boot" -d 'Run VMs'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "start" -d 'Run VMs'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "shutdown" -d 'Stop VMs: the guest is asked, and ended when its time is up'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "stop" -d 'Stop VMs: the guest is asked, and ended when its time is up'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "pause" -d 'Hold the virtual CPUs of VMs'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "resume" -d 'Let paused VMs go on'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "reboot" -d 'Start the guests of running VMs anew'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "delete" -d 'Remove VMs and what weft made for them; disks given by path are never touched'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "rm" -d 'Remove VMs and what weft made for them; disks given by path are never touched'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "logs" -d 'Print what a guest wrote to its serial console'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "console" -d 'Be at a VM\'s serial console'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "wait" -d 'Wait until a VM is in a phase, a condition holds, or it is gone'
complete -c weft -n "__fish_weft_using_subcommand vms; and not __fish_seen_subcommand_from create run list ls get describe update attach-disk detach-disk resize-disk attach-nic detach-nic attach-device detach-device attach-vsock detach-vsock resize counters nmi boot start shutdown stop pause resume reboot delete rm logs console wait watch" -f -a "watch" -d 'Show changes of VMs as they come'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l cpus -d 'Virtual CPUs [default: 1]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l memory -d 'Memory, such as 512M or 2GiB [default: 256M]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l image -d 'The image that boots, by name [default: default]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l kernel -d 'The kernel that boots' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l initramfs -d 'The initial RAM file system' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l cmdline -d 'The kernel\'s command line, or words added to the image\'s own' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l firmware -d 'The firmware that boots' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l disk -d 'A disk: path=FILE or size=SIZE, with format=raw|qcow2, ro, root, direct, name=, serial=, queues=' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l nic -d 'An interface: user[,forward=tcp:HOST:GUEST], network=NAME, tap=DEVICE or macvtap=DEVICE, with mac=, ip=, mtu=, name= [default: user]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l vsock -d 'The guest\'s vsock, by its context id, 3 or more [default: none]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l hotplug-memory -d 'Memory that can be plugged while it runs, such as 2G [default: none]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l max-cpus -d 'The most virtual CPUs that can be plugged while it runs [default: --cpus]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l driver -d 'The driver that runs it [default: auto]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l machine -d 'The machine model [default: auto]' -r -f -a "auto\t'The driver\'s choice'
microvm\t'Minimal, without PCI'
pc\t'A classic PC'
q35\t'A PC with PCI Express'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l accel -d 'What executes guest code [default: auto]' -r -f -a "auto\t'KVM where it truly works, software otherwise'
kvm\t'KVM'
tcg\t'Software translation'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l restart -d 'What happens after an exit that nobody asked for [default: never]' -r -f -a "never\t'It stays down'
on-failure\t'It runs again unless the guest powered itself off'
always\t'It runs again'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -s l -l label -d 'A label, as key=value; repeat for more' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -s f -l file -d 'Take the VMs from a manifest, YAML or JSON; - reads standard input' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l request-id -d 'Makes a repetition safe: the same id gets the first answer' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l no-nic -d 'No interface at all'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l shared-memory -d 'Memory that is shared with other processes; vhost-user devices need it'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l dry-run -d 'Check everything and make nothing'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l boot -d 'Boot it as well'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l no-wait -d 'Do not wait until it is made'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l cpus -d 'Virtual CPUs [default: 1]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l memory -d 'Memory, such as 512M or 2GiB [default: 256M]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l image -d 'The image that boots, by name [default: default]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l kernel -d 'The kernel that boots' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l initramfs -d 'The initial RAM file system' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l cmdline -d 'The kernel\'s command line, or words added to the image\'s own' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l firmware -d 'The firmware that boots' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l disk -d 'A disk: path=FILE or size=SIZE, with format=raw|qcow2, ro, root, direct, name=, serial=, queues=' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l nic -d 'An interface: user[,forward=tcp:HOST:GUEST], network=NAME, tap=DEVICE or macvtap=DEVICE, with mac=, ip=, mtu=, name= [default: user]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l vsock -d 'The guest\'s vsock, by its context id, 3 or more [default: none]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l hotplug-memory -d 'Memory that can be plugged while it runs, such as 2G [default: none]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l max-cpus -d 'The most virtual CPUs that can be plugged while it runs [default: --cpus]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l driver -d 'The driver that runs it [default: auto]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l machine -d 'The machine model [default: auto]' -r -f -a "auto\t'The driver\'s choice'
microvm\t'Minimal, without PCI'
pc\t'A classic PC'
q35\t'A PC with PCI Express'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l accel -d 'What executes guest code [default: auto]' -r -f -a "auto\t'KVM where it truly works, software otherwise'
kvm\t'KVM'
tcg\t'Software translation'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l restart -d 'What happens after an exit that nobody asked for [default: never]' -r -f -a "never\t'It stays down'
on-failure\t'It runs again unless the guest powered itself off'
always\t'It runs again'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -s l -l label -d 'A label, as key=value; repeat for more' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -s f -l file -d 'Take the VMs from a manifest, YAML or JSON; - reads standard input' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l request-id -d 'Makes a repetition safe: the same id gets the first answer' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l escape -d 'The key that leaves the console, such as ^] or ^A; `none` for no key' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l no-nic -d 'No interface at all'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l shared-memory -d 'Memory that is shared with other processes; vhost-user devices need it'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l dry-run -d 'Check everything and make nothing'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l console -d 'Then be at its console'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from list" -l filter -d 'Only VMs that this filter fits, such as \'phase = RUNNING\'' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from list" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from list" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from list" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from list" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from list" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from list" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from list" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from list" -s A -l all-projects -d 'VMs of all projects'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from list" -s w -l watch -d 'Then show changes as they come'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from list" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from ls" -l filter -d 'Only VMs that this filter fits, such as \'phase = RUNNING\'' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from ls" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from ls" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from ls" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from ls" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from ls" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from ls" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from ls" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from ls" -s A -l all-projects -d 'VMs of all projects'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from ls" -s w -l watch -d 'Then show changes as they come'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from ls" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from get" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from get" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from get" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from get" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from get" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from get" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from get" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from get" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from get" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from describe" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from describe" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from describe" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from describe" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from describe" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from describe" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from describe" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from describe" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from describe" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from describe" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from describe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from update" -s l -l label -d 'Set a label with key=value, take one away with key-; repeat for more' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from update" -l cpus -d 'Virtual CPUs' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from update" -l memory -d 'Memory, such as 512M or 2GiB' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from update" -l restart -d 'What happens after an exit that nobody asked for' -r -f -a "never\t'It stays down'
on-failure\t'It runs again unless the guest powered itself off'
always\t'It runs again'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from update" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from update" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from update" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from update" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from update" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from update" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from update" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from update" -l dry-run -d 'Check everything and change nothing'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from update" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from update" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from update" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -l path -d 'A file or block device that exists; weft never deletes it' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -l size -d 'A new, empty disk of this size, such as 10G; it goes with the VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -l name -d 'Its name in the VM [default: the first free one of disk0, disk1 and so on]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -l format -d 'How its bytes are laid out' -r -f -a "raw\t'Byte by byte'
qcow2\t'QEMU\'s copy-on-write format'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -l serial -d 'The serial number that the guest sees' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -l read-only -d 'The guest cannot write'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -l direct -d 'Past the host\'s page cache'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-disk" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-disk" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-disk" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-disk" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-disk" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-disk" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-disk" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-disk" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-disk" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-disk" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-disk" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-disk" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-disk" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-disk" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize-disk" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize-disk" -l size -d 'Its new size, such as 20G; not less than it has' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize-disk" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize-disk" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize-disk" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize-disk" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize-disk" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize-disk" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize-disk" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize-disk" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize-disk" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize-disk" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize-disk" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize-disk" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -l network -d 'A network, by name [default: a private network inside the VMM]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -l tap -d 'A tap device of the host' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -l macvtap -d 'A macvtap device of the host' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -l name -d 'Its name in the VM [default: the first free one of nic0, nic1 and so on]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -l mac -d 'Its hardware address [default: made from the VM\'s id]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -l ip -d 'The address that the guest should have' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -l mtu -d 'The largest packet in bytes [default: the network\'s own]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-nic" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-nic" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-nic" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-nic" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-nic" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-nic" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-nic" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-nic" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-nic" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-nic" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-nic" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-nic" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-nic" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-nic" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -l pmem -d 'Persistent memory that is backed by this file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -l share -d 'A folder of the host, by the Unix socket of the virtio-fs daemon that serves it' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -l tag -d 'The name by which the guest mounts the folder' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -l vdpa -d 'A vDPA device of the host, such as /dev/vhost-vdpa-0' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -l passthrough -d 'A PCI device of the host, by its folder in sysfs' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -l vfio-user -d 'A PCI device that another process plays, by its Unix socket' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -l name -d 'Its name in the VM [default: the first free one of device0, device1 and so on]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -l read-only -d 'What the guest writes does not reach the file'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-device" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-device" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-device" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-device" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-device" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-device" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-device" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-device" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-device" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-device" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-device" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-device" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-device" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-device" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-vsock" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-vsock" -l cid -d 'Its context id, 3 or more' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-vsock" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-vsock" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-vsock" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-vsock" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-vsock" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-vsock" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-vsock" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-vsock" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-vsock" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-vsock" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-vsock" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from attach-vsock" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-vsock" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-vsock" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-vsock" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-vsock" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-vsock" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-vsock" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-vsock" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-vsock" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-vsock" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-vsock" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-vsock" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-vsock" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from detach-vsock" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize" -l cpus -d 'Virtual CPUs' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize" -l memory -d 'Memory, such as 512M or 2GiB' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize" -l balloon -d 'What the balloon takes from the guest, such as 128M or 0B' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resize" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from counters" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from counters" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from counters" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from counters" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from counters" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from counters" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from counters" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from counters" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from counters" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from counters" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from counters" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from nmi" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from nmi" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from nmi" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from nmi" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from nmi" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from nmi" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from nmi" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from nmi" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from nmi" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from nmi" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from nmi" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from nmi" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from nmi" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from boot" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from boot" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from boot" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from boot" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from boot" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from boot" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from boot" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from boot" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from boot" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from boot" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from boot" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from boot" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from boot" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from start" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from start" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from start" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from start" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from start" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from start" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from start" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from start" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from start" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from start" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from start" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from start" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from shutdown" -l grace -d 'How long the guest is given' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from shutdown" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from shutdown" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from shutdown" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from shutdown" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from shutdown" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from shutdown" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from shutdown" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from shutdown" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from shutdown" -l force -d 'Do not ask the guest: end it at once'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from shutdown" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from shutdown" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from shutdown" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from shutdown" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from shutdown" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from stop" -l grace -d 'How long the guest is given' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from stop" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from stop" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from stop" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from stop" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from stop" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from stop" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from stop" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from stop" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from stop" -l force -d 'Do not ask the guest: end it at once'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from stop" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from stop" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from stop" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from stop" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from pause" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from pause" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from pause" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from pause" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from pause" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from pause" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from pause" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from pause" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from pause" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from pause" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from pause" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from pause" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from pause" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resume" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resume" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resume" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resume" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resume" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resume" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resume" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resume" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resume" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resume" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resume" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resume" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from reboot" -l grace -d 'How long the guest is given' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from reboot" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from reboot" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from reboot" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from reboot" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from reboot" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from reboot" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from reboot" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from reboot" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from reboot" -l force -d 'Do not ask the guest: end it at once'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from reboot" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from reboot" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from reboot" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from reboot" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from reboot" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from delete" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from delete" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from delete" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from delete" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from delete" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from delete" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from delete" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from delete" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from delete" -l force -d 'Even while it runs'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from delete" -l ignore-missing -d 'Absence is success'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from delete" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from delete" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from delete" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from rm" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from rm" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from rm" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from rm" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from rm" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from rm" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from rm" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from rm" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from rm" -l force -d 'Even while it runs'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from rm" -l ignore-missing -d 'Absence is success'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from rm" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from rm" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from logs" -l tail -d 'Only the last so many lines, or bytes where a unit is given, such as 64K' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from logs" -l offset -d 'From this byte, counted from the first that the guest ever wrote' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from logs" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from logs" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from logs" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from logs" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from logs" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from logs" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from logs" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from logs" -s f -l follow -d 'Go on as the guest writes'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from logs" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from logs" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from logs" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from console" -l escape -d 'The key that leaves, such as ^] or ^A; `none` for no key' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from console" -l linger -d 'How long the guest may be silent after the end of piped input before it is left' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from console" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from console" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from console" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from console" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from console" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from console" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from console" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from console" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from console" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from console" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from console" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from wait" -l for -d 'A phase such as RUNNING, a condition such as Ready, or gone' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from wait" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from wait" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from wait" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from wait" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from wait" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from wait" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from wait" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from wait" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from wait" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from wait" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from watch" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from watch" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from watch" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from watch" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from watch" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from watch" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from watch" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from watch" -s A -l all-projects -d 'VMs of all projects'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from watch" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from watch" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from watch" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand vms; and __fish_seen_subcommand_from watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "create" -d 'Take a snapshot of a VM, which is held for a moment and goes on'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "list" -d 'List snapshots'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "ls" -d 'List snapshots'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "get" -d 'Describe snapshots: of what they are, what is kept'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "describe" -d 'Describe snapshots: of what they are, what is kept'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "delete" -d 'Remove snapshots that nothing needs'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "rm" -d 'Remove snapshots that nothing needs'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "restore" -d 'Put a VM back to where it was: what it did since is lost'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "fork" -d 'Begin another VM from a snapshot, with addresses and disks of its own'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from create" -l scope -d 'What is kept' -r -f -a "full\t'Disks, devices and the whole memory'
difference\t'The same, but of the memory only what changed since the parent'
disks\t'Disks alone, of a VM that may be stopped'
internal\t'Disks, devices and memory inside the VM\'s own qcow2 disks, to go back to in place'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from create" -l parent -d 'For a difference: the snapshot that it completes, by name or id' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from create" -s l -l label -d 'A label, as key=value; repeat for more' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from create" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from create" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from create" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from create" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from create" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from create" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from create" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from create" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from create" -l dry-run -d 'Check everything and take nothing'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from create" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from create" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from list" -l vm -d 'Only those of this VM, by name or id' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from list" -l filter -d 'Only snapshots that this filter fits, such as \'phase = READY\'' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from list" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from list" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from list" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from list" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from list" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from list" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from list" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from list" -s A -l all-projects -d 'Snapshots of all projects'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from list" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from ls" -l vm -d 'Only those of this VM, by name or id' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from ls" -l filter -d 'Only snapshots that this filter fits, such as \'phase = READY\'' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from ls" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from ls" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from ls" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from ls" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from ls" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from ls" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from ls" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from ls" -s A -l all-projects -d 'Snapshots of all projects'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from ls" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from get" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from get" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from get" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from get" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from get" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from get" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from get" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from get" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from get" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from describe" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from describe" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from describe" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from describe" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from describe" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from describe" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from describe" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from describe" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from describe" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from describe" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from describe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from delete" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from delete" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from delete" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from delete" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from delete" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from delete" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from delete" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from delete" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from delete" -l ignore-missing -d 'Absence is success'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from delete" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from delete" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from delete" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from rm" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from rm" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from rm" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from rm" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from rm" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from rm" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from rm" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from rm" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from rm" -l ignore-missing -d 'Absence is success'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from rm" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from rm" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from restore" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from restore" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from restore" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from restore" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from restore" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from restore" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from restore" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from restore" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from restore" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from restore" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from restore" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from restore" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from fork" -s l -l label -d 'A label of the new VM, as key=value; repeat for more' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from fork" -l metadata -d 'What its metadata service tells, from a JSON file; - reads standard input' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from fork" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from fork" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from fork" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from fork" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from fork" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from fork" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from fork" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from fork" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from fork" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from fork" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from fork" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from fork" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshot; and __fish_seen_subcommand_from fork" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "create" -d 'Take a snapshot of a VM, which is held for a moment and goes on'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "list" -d 'List snapshots'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "ls" -d 'List snapshots'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "get" -d 'Describe snapshots: of what they are, what is kept'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "describe" -d 'Describe snapshots: of what they are, what is kept'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "delete" -d 'Remove snapshots that nothing needs'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "rm" -d 'Remove snapshots that nothing needs'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "restore" -d 'Put a VM back to where it was: what it did since is lost'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and not __fish_seen_subcommand_from create list ls get describe delete rm restore fork" -f -a "fork" -d 'Begin another VM from a snapshot, with addresses and disks of its own'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from create" -l scope -d 'What is kept' -r -f -a "full\t'Disks, devices and the whole memory'
difference\t'The same, but of the memory only what changed since the parent'
disks\t'Disks alone, of a VM that may be stopped'
internal\t'Disks, devices and memory inside the VM\'s own qcow2 disks, to go back to in place'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from create" -l parent -d 'For a difference: the snapshot that it completes, by name or id' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from create" -s l -l label -d 'A label, as key=value; repeat for more' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from create" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from create" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from create" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from create" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from create" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from create" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from create" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from create" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from create" -l dry-run -d 'Check everything and take nothing'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from create" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from create" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from list" -l vm -d 'Only those of this VM, by name or id' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from list" -l filter -d 'Only snapshots that this filter fits, such as \'phase = READY\'' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from list" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from list" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from list" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from list" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from list" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from list" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from list" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from list" -s A -l all-projects -d 'Snapshots of all projects'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from list" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from ls" -l vm -d 'Only those of this VM, by name or id' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from ls" -l filter -d 'Only snapshots that this filter fits, such as \'phase = READY\'' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from ls" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from ls" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from ls" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from ls" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from ls" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from ls" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from ls" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from ls" -s A -l all-projects -d 'Snapshots of all projects'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from ls" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from get" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from get" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from get" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from get" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from get" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from get" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from get" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from get" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from get" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from describe" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from describe" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from describe" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from describe" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from describe" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from describe" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from describe" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from describe" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from describe" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from describe" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from describe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from delete" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from delete" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from delete" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from delete" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from delete" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from delete" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from delete" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from delete" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from delete" -l ignore-missing -d 'Absence is success'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from delete" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from delete" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from delete" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from rm" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from rm" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from rm" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from rm" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from rm" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from rm" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from rm" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from rm" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from rm" -l ignore-missing -d 'Absence is success'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from rm" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from rm" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from restore" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from restore" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from restore" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from restore" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from restore" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from restore" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from restore" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from restore" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from restore" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from restore" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from restore" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from restore" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from fork" -s l -l label -d 'A label of the new VM, as key=value; repeat for more' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from fork" -l metadata -d 'What its metadata service tells, from a JSON file; - reads standard input' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from fork" -l request-id -d 'Makes a repetition safe: the same id gets the first answer; for one VM' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from fork" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from fork" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from fork" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from fork" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from fork" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from fork" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from fork" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from fork" -l no-wait -d 'Do not wait until it is so'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from fork" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from fork" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from fork" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand snapshots; and __fish_seen_subcommand_from fork" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand node; and not __fish_seen_subcommand_from list ls get release-orphans" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand node; and not __fish_seen_subcommand_from list ls get release-orphans" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand node; and not __fish_seen_subcommand_from list ls get release-orphans" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand node; and not __fish_seen_subcommand_from list ls get release-orphans" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand node; and not __fish_seen_subcommand_from list ls get release-orphans" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand node; and not __fish_seen_subcommand_from list ls get release-orphans" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand node; and not __fish_seen_subcommand_from list ls get release-orphans" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand node; and not __fish_seen_subcommand_from list ls get release-orphans" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand node; and not __fish_seen_subcommand_from list ls get release-orphans" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand node; and not __fish_seen_subcommand_from list ls get release-orphans" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand node; and not __fish_seen_subcommand_from list ls get release-orphans" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand node; and not __fish_seen_subcommand_from list ls get release-orphans" -f -a "list" -d 'List nodes'
complete -c weft -n "__fish_weft_using_subcommand node; and not __fish_seen_subcommand_from list ls get release-orphans" -f -a "ls" -d 'List nodes'
complete -c weft -n "__fish_weft_using_subcommand node; and not __fish_seen_subcommand_from list ls get release-orphans" -f -a "get" -d 'Describe nodes: what they have, and what their drivers can do'
complete -c weft -n "__fish_weft_using_subcommand node; and not __fish_seen_subcommand_from list ls get release-orphans" -f -a "release-orphans" -d 'Remove VMs and snapshots that are on a node and unknown to the state, with their disks'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from list" -l filter -d 'Only nodes that this filter fits, such as \'architecture = x86_64\'' -r
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from list" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from list" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from list" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from list" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from list" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from list" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from list" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from list" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from ls" -l filter -d 'Only nodes that this filter fits, such as \'architecture = x86_64\'' -r
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from ls" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from ls" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from ls" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from ls" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from ls" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from ls" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from ls" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from ls" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from get" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from get" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from get" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from get" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from get" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from get" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from get" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from get" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from get" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from release-orphans" -l request-id -d 'Makes a repetition safe: the same id gets the first answer' -r
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from release-orphans" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from release-orphans" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from release-orphans" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from release-orphans" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from release-orphans" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from release-orphans" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from release-orphans" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from release-orphans" -l all -d 'All that there are'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from release-orphans" -l yes -d 'Really: their disks cannot be brought back'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from release-orphans" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from release-orphans" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from release-orphans" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand node; and __fish_seen_subcommand_from release-orphans" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand nodes; and not __fish_seen_subcommand_from list ls get release-orphans" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and not __fish_seen_subcommand_from list ls get release-orphans" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and not __fish_seen_subcommand_from list ls get release-orphans" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand nodes; and not __fish_seen_subcommand_from list ls get release-orphans" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and not __fish_seen_subcommand_from list ls get release-orphans" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand nodes; and not __fish_seen_subcommand_from list ls get release-orphans" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand nodes; and not __fish_seen_subcommand_from list ls get release-orphans" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand nodes; and not __fish_seen_subcommand_from list ls get release-orphans" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand nodes; and not __fish_seen_subcommand_from list ls get release-orphans" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand nodes; and not __fish_seen_subcommand_from list ls get release-orphans" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand nodes; and not __fish_seen_subcommand_from list ls get release-orphans" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand nodes; and not __fish_seen_subcommand_from list ls get release-orphans" -f -a "list" -d 'List nodes'
complete -c weft -n "__fish_weft_using_subcommand nodes; and not __fish_seen_subcommand_from list ls get release-orphans" -f -a "ls" -d 'List nodes'
complete -c weft -n "__fish_weft_using_subcommand nodes; and not __fish_seen_subcommand_from list ls get release-orphans" -f -a "get" -d 'Describe nodes: what they have, and what their drivers can do'
complete -c weft -n "__fish_weft_using_subcommand nodes; and not __fish_seen_subcommand_from list ls get release-orphans" -f -a "release-orphans" -d 'Remove VMs and snapshots that are on a node and unknown to the state, with their disks'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from list" -l filter -d 'Only nodes that this filter fits, such as \'architecture = x86_64\'' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from list" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from list" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from list" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from list" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from list" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from list" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from list" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from list" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from ls" -l filter -d 'Only nodes that this filter fits, such as \'architecture = x86_64\'' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from ls" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from ls" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from ls" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from ls" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from ls" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from ls" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from ls" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from ls" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from get" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from get" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from get" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from get" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from get" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from get" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from get" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from get" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from get" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from release-orphans" -l request-id -d 'Makes a repetition safe: the same id gets the first answer' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from release-orphans" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from release-orphans" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from release-orphans" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from release-orphans" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from release-orphans" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from release-orphans" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from release-orphans" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from release-orphans" -l all -d 'All that there are'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from release-orphans" -l yes -d 'Really: their disks cannot be brought back'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from release-orphans" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from release-orphans" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from release-orphans" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand nodes; and __fish_seen_subcommand_from release-orphans" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand event; and not __fish_seen_subcommand_from list ls watch" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand event; and not __fish_seen_subcommand_from list ls watch" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand event; and not __fish_seen_subcommand_from list ls watch" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand event; and not __fish_seen_subcommand_from list ls watch" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand event; and not __fish_seen_subcommand_from list ls watch" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand event; and not __fish_seen_subcommand_from list ls watch" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand event; and not __fish_seen_subcommand_from list ls watch" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand event; and not __fish_seen_subcommand_from list ls watch" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand event; and not __fish_seen_subcommand_from list ls watch" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand event; and not __fish_seen_subcommand_from list ls watch" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand event; and not __fish_seen_subcommand_from list ls watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand event; and not __fish_seen_subcommand_from list ls watch" -f -a "list" -d 'List events, oldest first'
complete -c weft -n "__fish_weft_using_subcommand event; and not __fish_seen_subcommand_from list ls watch" -f -a "ls" -d 'List events, oldest first'
complete -c weft -n "__fish_weft_using_subcommand event; and not __fish_seen_subcommand_from list ls watch" -f -a "watch" -d 'Show events as they come'
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from list" -l vm -d 'Only this VM\'s, by name or id' -r
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from list" -l filter -d 'Only events that this filter fits, such as \'severity = WARNING\'' -r
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from list" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from list" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from list" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from list" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from list" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from list" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from list" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from list" -s A -l all-projects -d 'Events of all projects'
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from list" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from ls" -l vm -d 'Only this VM\'s, by name or id' -r
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from ls" -l filter -d 'Only events that this filter fits, such as \'severity = WARNING\'' -r
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from ls" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from ls" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from ls" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from ls" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from ls" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from ls" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from ls" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from ls" -s A -l all-projects -d 'Events of all projects'
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from ls" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from watch" -l vm -d 'Only this VM\'s, by name or id' -r
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from watch" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from watch" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from watch" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from watch" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from watch" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from watch" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from watch" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from watch" -s A -l all-projects -d 'Events of all projects'
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from watch" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from watch" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from watch" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand event; and __fish_seen_subcommand_from watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand events; and not __fish_seen_subcommand_from list ls watch" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand events; and not __fish_seen_subcommand_from list ls watch" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand events; and not __fish_seen_subcommand_from list ls watch" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand events; and not __fish_seen_subcommand_from list ls watch" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand events; and not __fish_seen_subcommand_from list ls watch" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand events; and not __fish_seen_subcommand_from list ls watch" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand events; and not __fish_seen_subcommand_from list ls watch" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand events; and not __fish_seen_subcommand_from list ls watch" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand events; and not __fish_seen_subcommand_from list ls watch" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand events; and not __fish_seen_subcommand_from list ls watch" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand events; and not __fish_seen_subcommand_from list ls watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand events; and not __fish_seen_subcommand_from list ls watch" -f -a "list" -d 'List events, oldest first'
complete -c weft -n "__fish_weft_using_subcommand events; and not __fish_seen_subcommand_from list ls watch" -f -a "ls" -d 'List events, oldest first'
complete -c weft -n "__fish_weft_using_subcommand events; and not __fish_seen_subcommand_from list ls watch" -f -a "watch" -d 'Show events as they come'
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from list" -l vm -d 'Only this VM\'s, by name or id' -r
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from list" -l filter -d 'Only events that this filter fits, such as \'severity = WARNING\'' -r
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from list" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from list" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from list" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from list" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from list" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from list" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from list" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from list" -s A -l all-projects -d 'Events of all projects'
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from list" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from ls" -l vm -d 'Only this VM\'s, by name or id' -r
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from ls" -l filter -d 'Only events that this filter fits, such as \'severity = WARNING\'' -r
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from ls" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from ls" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from ls" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from ls" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from ls" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from ls" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from ls" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from ls" -s A -l all-projects -d 'Events of all projects'
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from ls" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from watch" -l vm -d 'Only this VM\'s, by name or id' -r
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from watch" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from watch" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from watch" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from watch" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from watch" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from watch" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from watch" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from watch" -s A -l all-projects -d 'Events of all projects'
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from watch" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from watch" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from watch" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand events; and __fish_seen_subcommand_from watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -l vm -d 'Only this VM\'s, by name or id; repeat for more' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -s l -l label -d 'Only of VMs with this label, as key=value; repeat for more' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -l from -d 'From here, such as 2026-11-01 or 2026-11-01T08:00:00Z [default: the oldest that is kept]' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -l to -d 'To here [default: now]' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -l since -d 'From so long ago, such as 30m or 24h' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -l grain -d 'How fine: one sum for each VM, or a line for each span' -r -f -a "raw\t'Each record as it was made'
second\t'Sums of seconds'
minute\t'Sums of minutes'
hour\t'Sums of hours'
day\t'Sums of days, from midnight UTC'
total\t'One sum for the whole span'"
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -s A -l all-projects -d 'Usage of all projects'
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -l live -d 'Show each second what was used in it, until you break off'
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -f -a "gaps" -d 'List spans that nobody watched, or whose counters are not known'
complete -c weft -n "__fish_weft_using_subcommand usage; and not __fish_seen_subcommand_from gaps export" -f -a "export" -d 'Write usage to a file, which is there when it is whole'
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from gaps" -l vm -d 'Only this VM\'s, by name or id; repeat for more' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from gaps" -s l -l label -d 'Only of VMs with this label, as key=value; repeat for more' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from gaps" -l from -d 'From here, such as 2026-11-01 or 2026-11-01T08:00:00Z [default: the oldest that is kept]' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from gaps" -l to -d 'To here [default: now]' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from gaps" -l since -d 'From so long ago, such as 30m or 24h' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from gaps" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from gaps" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from gaps" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from gaps" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from gaps" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from gaps" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from gaps" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from gaps" -s A -l all-projects -d 'Usage of all projects'
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from gaps" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from gaps" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from gaps" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from gaps" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -s f -l file -d 'The file; - writes to standard output' -r -F
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -l format -d 'In which form' -r -f -a "jsonl\t'One JSON object a line'
csv\t'Comma-separated values with a head (RFC 4180)'
cloudevents\t'One CloudEvents 1.0 object a line'"
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -l grain -d 'How fine' -r -f -a "raw\t'Each record as it was made'
second\t'Sums of seconds'
minute\t'Sums of minutes'
hour\t'Sums of hours'
day\t'Sums of days, from midnight UTC'
total\t'One sum for the whole span'"
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -l vm -d 'Only this VM\'s, by name or id; repeat for more' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -s l -l label -d 'Only of VMs with this label, as key=value; repeat for more' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -l from -d 'From here, such as 2026-11-01 or 2026-11-01T08:00:00Z [default: the oldest that is kept]' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -l to -d 'To here [default: now]' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -l since -d 'From so long ago, such as 30m or 24h' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -s A -l all-projects -d 'Usage of all projects'
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand usage; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand apply" -s f -l file -d 'The manifest, YAML or JSON, with any number of documents; - reads standard input' -r -F
complete -c weft -n "__fish_weft_using_subcommand apply" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand apply" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand apply" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand apply" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand apply" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand apply" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand apply" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand apply" -l dry-run -d 'Check everything and change nothing'
complete -c weft -n "__fish_weft_using_subcommand apply" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand apply" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand apply" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand completions" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand completions" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand completions" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand completions" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand completions" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand completions" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand completions" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand completions" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand completions" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand completions" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand version" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand version" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand version" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand version" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand version" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand version" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand version" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand version" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand version" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand version" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand version" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand up" -l listen -d 'Where the API listens; only loopback is allowed [default: 127.0.0.1:8080]' -r
complete -c weft -n "__fish_weft_using_subcommand up" -l metrics -d 'Where Prometheus metrics are served [default: 127.0.0.1:9464]' -r
complete -c weft -n "__fish_weft_using_subcommand up" -l set -d 'A key of the configuration, as key=value; repeat for more' -r
complete -c weft -n "__fish_weft_using_subcommand up" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand up" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand up" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand up" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand up" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand up" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand up" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand up" -l replace -d 'Take the place of the weft that runs on the same data folder, if one does'
complete -c weft -n "__fish_weft_using_subcommand up" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand up" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand up" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand up" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand down" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand down" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand down" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand down" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand down" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand down" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand down" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand down" -l keep-vms -d 'Leave the VMs running; the next `weft up` finds them'
complete -c weft -n "__fish_weft_using_subcommand down" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand down" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand down" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand down" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand backup" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand backup" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand backup" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand backup" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand backup" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand backup" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand backup" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand backup" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand backup" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand backup" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand backup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand restore" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand restore" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand restore" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand restore" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand restore" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand restore" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand restore" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand restore" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand restore" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand restore" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand doctor" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand doctor" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand doctor" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand doctor" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand doctor" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand doctor" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand doctor" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand doctor" -l census -d 'Tell instead what is on this host of all that weft makes, and whether it is claimed'
complete -c weft -n "__fish_weft_using_subcommand doctor" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand doctor" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand doctor" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand config; and not __fish_seen_subcommand_from check print" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand config; and not __fish_seen_subcommand_from check print" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand config; and not __fish_seen_subcommand_from check print" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand config; and not __fish_seen_subcommand_from check print" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand config; and not __fish_seen_subcommand_from check print" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand config; and not __fish_seen_subcommand_from check print" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand config; and not __fish_seen_subcommand_from check print" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand config; and not __fish_seen_subcommand_from check print" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand config; and not __fish_seen_subcommand_from check print" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand config; and not __fish_seen_subcommand_from check print" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand config; and not __fish_seen_subcommand_from check print" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand config; and not __fish_seen_subcommand_from check print" -f -a "check" -d 'Tell whether the configuration is right'
complete -c weft -n "__fish_weft_using_subcommand config; and not __fish_seen_subcommand_from check print" -f -a "print" -d 'Print what is in force, with where each value is from'
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from check" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from check" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from check" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from check" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from check" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from check" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from check" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from check" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from print" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from print" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from print" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from print" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from print" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from print" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from print" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from print" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from print" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from print" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand config; and __fish_seen_subcommand_from print" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand bench" -l rounds -d 'How often each thing is measured' -r
complete -c weft -n "__fish_weft_using_subcommand bench" -l vms -d 'How many VMs are to run at once in the suite `boot`, and in the suite `node` [default there: 10000]' -r
complete -c weft -n "__fish_weft_using_subcommand bench" -l json -d 'Write the JSON result to this file as well' -r -F
complete -c weft -n "__fish_weft_using_subcommand bench" -l points -d 'How many times something is killed [default: 200]' -r
complete -c weft -n "__fish_weft_using_subcommand bench" -l seed -d 'What points, victims and clients are drawn from; another each time where none is given' -r
complete -c weft -n "__fish_weft_using_subcommand bench" -l replay -d 'See the world of a failing seed again' -r
complete -c weft -n "__fish_weft_using_subcommand bench" -l driver -d 'Which programs stand for VMMs' -r -f -a "stand-in\t'Programs that speak Firecracker\'s and Cloud Hypervisor\'s API, found beside this one'
real\t'Real VMMs, as many as are found'
both\t'Some of each'"
complete -c weft -n "__fish_weft_using_subcommand bench" -l peer -d 'Put another program through the same loop instead' -r -f -a "libvirtd\t'libvirtd, with QEMU'"
complete -c weft -n "__fish_weft_using_subcommand bench" -l parallel -d 'How many daemons live and die at a time [default: 4]' -r
complete -c weft -n "__fish_weft_using_subcommand bench" -l keep -d 'Where the logs of failures are kept [default: weft-crash in the temporary folder]' -r -F
complete -c weft -n "__fish_weft_using_subcommand bench" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand bench" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand bench" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand bench" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand bench" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand bench" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand bench" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand bench" -l random -d 'Kill at random instants alone, which needs no build with fault points'
complete -c weft -n "__fish_weft_using_subcommand bench" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand bench" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand bench" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand bench" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand internal; and not __fish_seen_subcommand_from markdown-help man completions config-reference empty-handler" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and not __fish_seen_subcommand_from markdown-help man completions config-reference empty-handler" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and not __fish_seen_subcommand_from markdown-help man completions config-reference empty-handler" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand internal; and not __fish_seen_subcommand_from markdown-help man completions config-reference empty-handler" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and not __fish_seen_subcommand_from markdown-help man completions config-reference empty-handler" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand internal; and not __fish_seen_subcommand_from markdown-help man completions config-reference empty-handler" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand internal; and not __fish_seen_subcommand_from markdown-help man completions config-reference empty-handler" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand internal; and not __fish_seen_subcommand_from markdown-help man completions config-reference empty-handler" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand internal; and not __fish_seen_subcommand_from markdown-help man completions config-reference empty-handler" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand internal; and not __fish_seen_subcommand_from markdown-help man completions config-reference empty-handler" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand internal; and not __fish_seen_subcommand_from markdown-help man completions config-reference empty-handler" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand internal; and not __fish_seen_subcommand_from markdown-help man completions config-reference empty-handler" -f -a "markdown-help" -d 'Print the reference of the command line as Markdown'
complete -c weft -n "__fish_weft_using_subcommand internal; and not __fish_seen_subcommand_from markdown-help man completions config-reference empty-handler" -f -a "man" -d 'Write the manual pages'
complete -c weft -n "__fish_weft_using_subcommand internal; and not __fish_seen_subcommand_from markdown-help man completions config-reference empty-handler" -f -a "completions" -d 'Write the completion scripts of all shells'
complete -c weft -n "__fish_weft_using_subcommand internal; and not __fish_seen_subcommand_from markdown-help man completions config-reference empty-handler" -f -a "config-reference" -d 'Print the reference of the configuration as Markdown'
complete -c weft -n "__fish_weft_using_subcommand internal; and not __fish_seen_subcommand_from markdown-help man completions config-reference empty-handler" -f -a "empty-handler" -d 'Serve an empty handler beside which the API is measured, until standard input ends'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from markdown-help" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from markdown-help" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from markdown-help" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from markdown-help" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from markdown-help" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from markdown-help" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from markdown-help" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from markdown-help" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from markdown-help" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from markdown-help" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from markdown-help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from man" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from man" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from man" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from man" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from man" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from man" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from man" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from man" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from man" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from man" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from completions" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from completions" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from completions" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from completions" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from completions" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from completions" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from completions" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from completions" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from completions" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from completions" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from config-reference" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from config-reference" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from config-reference" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from config-reference" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from config-reference" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from config-reference" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from config-reference" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from config-reference" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from config-reference" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from config-reference" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from config-reference" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from empty-handler" -l server -d 'The server that is asked' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from empty-handler" -l project -d 'The project that is meant' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from empty-handler" -s o -l output -d 'How answers look' -r -f -a "table\t'For people'
wide\t'For people with wide terminals'
json\t'JSON, as on the wire'
yaml\t'YAML of the same shape'
name\t'Names only, one per line'"
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from empty-handler" -l timeout -d 'How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]' -r
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from empty-handler" -l config -d 'The configuration file' -r -F
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from empty-handler" -l data-dir -d 'The folder for all state, run-time files and caches' -r -F
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from empty-handler" -l log-format -d 'How log lines look' -r -f -a "text\t'For people'
json\t'One JSON object per line'"
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from empty-handler" -s q -l quiet -d 'Say nothing but answers and errors'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from empty-handler" -s v -l verbose -d 'Say more in the log; repeat for still more'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from empty-handler" -l no-color -d 'No colours, also on a terminal'
complete -c weft -n "__fish_weft_using_subcommand internal; and __fish_seen_subcommand_from empty-handler" -s h -l help -d 'Print help (see more with \'--help\')'

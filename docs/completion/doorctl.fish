# fish completion for doorctl; drawn by `doorctl completion fish`, do not edit
set -g __doorctl_valued --ack --address --as --card --console --door --file --format --from --group --home --keep --limit --lines --listen --monitor --names --port --sabotage --seconds --since --token-key-copy --until -n
set -g __doorctl_commands 'init' 'check' 'config' 'config explain' 'config show' 'config schema' 'holder' 'holder add' 'holder list' 'holder show' 'holder edit' 'holder card' 'holder codes' 'holder remove' 'status' 'log' 'log export' 'unlock' 'lockdown' 'test-alarm' 'monitor' 'monitor init' 'monitor trust' 'monitor run' 'monitor alarms' 'monitor controllers' 'sim' 'completion'

function __doorctl_walk
    # the command of the line, then how many places are taken: `holder card 1`
    set -l path
    set -l place 0
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word $__doorctl_valued
            set skip 1
        else if string match -q -- '-*' $word
            continue
        else if contains -- (string join ' ' $path $word) $__doorctl_commands
            set -a path $word
        else
            set place (math $place + 1)
        end
    end
    string join ' ' $path $place
end

function __doorctl_in
    # whether the command of the line is this one
    string match -qr -- "^$argv"'( |^)\d+$' (__doorctl_walk)
end

function __doorctl_at
    # the same, with this many places taken; * is any number
    set -l here (__doorctl_walk)
    test "$here" = (string join ' ' (string split -n ' ' $argv[1]) $argv[2])
    or test "$argv[2]" = '*'; and __doorctl_in $argv[1]
end

function __doorctl_names
    # of doors or groups, of the installation that the line is about; --home is the only part of it that is used
    set -l line (commandline -opc)
    set -l home
    for at in (seq 2 (count $line))
        if test $line[$at] = --home; and set -q line[(math $at + 1)]
            set home --home $line[(math $at + 1)]
        else if string match -q -- '--home=*' $line[$at]
            set home $line[$at]
        end
    end
    $line[1] $home completion $argv 2>/dev/null
end

complete -c doorctl -f
complete -c doorctl -n '__doorctl_in \'\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'\'' -l version -d 'show program\'s version number and exit'
complete -c doorctl -n '__doorctl_at \'\' 0' -a init -d 'make a board\'s keys and roster, pair it with a monitor'
complete -c doorctl -n '__doorctl_at \'\' 0' -a check -d 'find every mistake in the configuration'
complete -c doorctl -n '__doorctl_at \'\' 0' -a config -d 'explain the configuration\'s keys, show what is in force'
complete -c doorctl -n '__doorctl_at \'\' 0' -a holder -d 'enrol people, change and remove them'
complete -c doorctl -n '__doorctl_at \'\' 0' -a status -d 'how the doors, readers and the way to the monitor are'
complete -c doorctl -n '__doorctl_at \'\' 0' -a log -d 'the access log'
complete -c doorctl -n '__doorctl_at \'\' 0' -a unlock -d 'release a door\'s strike'
complete -c doorctl -n '__doorctl_at \'\' 0' -a lockdown -d 'refuse every credential, or end that'
complete -c doorctl -n '__doorctl_at \'\' 0' -a test-alarm -d 'test the way to the monitor'
complete -c doorctl -n '__doorctl_at \'\' 0' -a monitor -d 'make and run a monitor, look at its alarms'
complete -c doorctl -n '__doorctl_at \'\' 0' -a sim -d 'try it: a door, its people and a monitor on this machine'
complete -c doorctl -n '__doorctl_at \'\' 0' -a completion -d 'print what lets a shell complete doorctl\'s lines'
complete -c doorctl -n '__doorctl_in \'init\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'init\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'init\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'init\'' -l monitor -r -F -d 'the monitor.toml that `doorctl monitor init` made'
complete -c doorctl -n '__doorctl_in \'init\'' -l mock -d 'a simulated board: mock hardware, keys no real monitor takes'
complete -c doorctl -n '__doorctl_in \'init\'' -l yes -d 'the fingerprints were compared already'
complete -c doorctl -n '__doorctl_in \'check\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'check\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'check\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'check\'' -l formats -d 'list the card formats'
complete -c doorctl -n '__doorctl_at \'check\' 0' -F -d 'FILE'
complete -c doorctl -n '__doorctl_in \'config\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'config\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'config\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_at \'config\' 0' -a explain -d 'what a key means, takes and risks; its value here'
complete -c doorctl -n '__doorctl_at \'config\' 0' -a show -d 'the configuration in force, defaults included'
complete -c doorctl -n '__doorctl_at \'config\' 0' -a schema -d 'a JSON Schema of doorctl.toml, for editors'
complete -c doorctl -n '__doorctl_in \'config explain\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'config explain\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'config explain\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'config explain\'' -l file -r -F -d 'default: this installation\'s doorctl.toml'
complete -c doorctl -n '__doorctl_in \'config show\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'config show\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'config show\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_at \'config show\' 0' -F -d 'FILE'
complete -c doorctl -n '__doorctl_in \'config schema\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'config schema\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'config schema\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'config schema\'' -l names -r -F -d 'a schema for this file: only its doors and schedules may be named'
complete -c doorctl -n '__doorctl_in \'holder\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'holder\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'holder\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_at \'holder\' 0' -a add -d 'enrol a person: draw codes, take a card'
complete -c doorctl -n '__doorctl_at \'holder\' 0' -a list -d 'who is enrolled'
complete -c doorctl -n '__doorctl_at \'holder\' 0' -a show -d 'one person'
complete -c doorctl -n '__doorctl_at \'holder\' 0' -a edit -d 'groups, dates, suspension'
complete -c doorctl -n '__doorctl_at \'holder\' 0' -a card -d 'give a person another card; draws new codes'
complete -c doorctl -n '__doorctl_at \'holder\' 0' -a codes -d 'draw a person\'s whole set of codes anew'
complete -c doorctl -n '__doorctl_at \'holder\' 0' -a remove -d 'remove a person and every row of theirs'
complete -c doorctl -n '__doorctl_in \'holder add\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'holder add\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'holder add\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'holder add\'' -l group -x -a '(__doorctl_names groups)' -d 'may be given several times'
complete -c doorctl -n '__doorctl_in \'holder add\'' -l card -x -a '(__doorctl_names doors | string replace -r ^ next@)' -d 'next@DOOR, the next card shown at a door, or FORMAT and its fields, as H10301:12:3456'
complete -c doorctl -n '__doorctl_in \'holder add\'' -l from -x -d 'first good day'
complete -c doorctl -n '__doorctl_in \'holder add\'' -l until -x -d 'last good day, as 2026-12-31'
complete -c doorctl -n '__doorctl_in \'holder list\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'holder list\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'holder list\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'holder list\'' -l group -x -a '(__doorctl_names groups)' -d 'only members of a group'
complete -c doorctl -n '__doorctl_in \'holder show\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'holder show\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'holder show\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'holder edit\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'holder edit\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'holder edit\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'holder edit\'' -l group -x -a '(__doorctl_names groups)' -d 'all groups from now on'
complete -c doorctl -n '__doorctl_in \'holder edit\'' -l suspend -d 'refuse every credential of the person'
complete -c doorctl -n '__doorctl_in \'holder edit\'' -l resume -d 'end that'
complete -c doorctl -n '__doorctl_in \'holder edit\'' -l from -x -d 'first good day; none: without'
complete -c doorctl -n '__doorctl_in \'holder edit\'' -l until -x -d 'last good day, as 2026-12-31; none: without'
complete -c doorctl -n '__doorctl_in \'holder card\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'holder card\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'holder card\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_at \'holder card\' 1' -a '(__doorctl_names doors | string replace -r ^ next@)' -d 'CARD'
complete -c doorctl -n '__doorctl_in \'holder codes\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'holder codes\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'holder codes\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'holder remove\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'holder remove\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'holder remove\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'holder remove\'' -l yes -d 'do not ask'
complete -c doorctl -n '__doorctl_in \'status\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'status\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'status\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'status\'' -s v -l verbose -d 'every counter as well, as --json has them'
complete -c doorctl -n '__doorctl_in \'log\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'log\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'log\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'log\'' -s n -l lines -x -d 'the newest N lines (default 50)'
complete -c doorctl -n '__doorctl_in \'log\'' -l door -x -a '(__doorctl_names doors)' -d 'only one door'
complete -c doorctl -n '__doorctl_in \'log\'' -l since -x -d 'as 30m, 24h, 7d or 2026-12-31'
complete -c doorctl -n '__doorctl_in \'log\'' -s f -l follow -d 'go on as new lines come'
complete -c doorctl -n '__doorctl_at \'log\' 0' -a export -d 'the access log as a file, for somebody who may have it'
complete -c doorctl -n '__doorctl_in \'log export\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'log export\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'log export\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'log export\'' -l door -x -a '(__doorctl_names doors)' -d 'only one door'
complete -c doorctl -n '__doorctl_in \'log export\'' -l since -x -d 'from then on: 24h, 7d or 2026-12-31'
complete -c doorctl -n '__doorctl_in \'log export\'' -l until -x -d 'until just before then; the same forms'
complete -c doorctl -n '__doorctl_in \'log export\'' -l format -x -a 'csv json' -d 'json is one object a line (default: csv)'
complete -c doorctl -n '__doorctl_at \'log export\' 0' -F -d 'FILE'
complete -c doorctl -n '__doorctl_in \'unlock\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'unlock\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'unlock\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'unlock\'' -l seconds -x -d 'how long, at most 3600 (default: the door\'s own)'
complete -c doorctl -n '__doorctl_at \'unlock\' 0' -a '(__doorctl_names doors)' -d 'DOOR'
complete -c doorctl -n '__doorctl_in \'lockdown\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'lockdown\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'lockdown\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_at \'lockdown\' 0' -a 'on off' -d 'STATE'
complete -c doorctl -n '__doorctl_in \'test-alarm\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'test-alarm\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'test-alarm\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'monitor\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'monitor\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'monitor\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_at \'monitor\' 0' -a init -d 'make the monitor\'s keys and the file for boards'
complete -c doorctl -n '__doorctl_at \'monitor\' 0' -a trust -d 'let the monitor trust a board'
complete -c doorctl -n '__doorctl_at \'monitor\' 0' -a run -d 'run the monitor'
complete -c doorctl -n '__doorctl_at \'monitor\' 0' -a alarms -d 'show or acknowledge alarms'
complete -c doorctl -n '__doorctl_at \'monitor\' 0' -a controllers -d 'show trusted boards and how they are'
complete -c doorctl -n '__doorctl_in \'monitor init\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'monitor init\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'monitor init\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'monitor init\'' -l address -x -d 'where boards reach this monitor; twice for two lines'
complete -c doorctl -n '__doorctl_in \'monitor init\'' -l listen -x -d 'where to listen for boards, if not on every address'
complete -c doorctl -n '__doorctl_in \'monitor init\'' -l console -x -d 'where people look (default: 127.0.0.1:8443)'
complete -c doorctl -n '__doorctl_in \'monitor init\'' -l token-key-copy -r -F -d 'a new file for the offline copy, on removable media'
complete -c doorctl -n '__doorctl_in \'monitor init\'' -l simulated -d 'for simulated boards only; needs no copy'
complete -c doorctl -n '__doorctl_in \'monitor trust\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'monitor trust\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'monitor trust\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'monitor trust\'' -l yes -d 'the fingerprints were compared already'
complete -c doorctl -n '__doorctl_at \'monitor trust\' 0' -F -d 'FILE'
complete -c doorctl -n '__doorctl_in \'monitor run\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'monitor run\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'monitor run\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'monitor alarms\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'monitor alarms\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'monitor alarms\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'monitor alarms\'' -s f -l follow -d 'go on with each change'
complete -c doorctl -n '__doorctl_in \'monitor alarms\'' -s n -l limit -x -d 'how many (default: 50)'
complete -c doorctl -n '__doorctl_in \'monitor alarms\'' -l ack -x -d 'acknowledge this alarm'
complete -c doorctl -n '__doorctl_in \'monitor alarms\'' -l as -x -d 'who acknowledges (default: your user name)'
complete -c doorctl -n '__doorctl_in \'monitor controllers\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'monitor controllers\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'monitor controllers\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'sim\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'sim\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'sim\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_in \'sim\'' -l tour -d 'tell the story here; non-zero if a promise breaks'
complete -c doorctl -n '__doorctl_in \'sim\'' -l port -x -d 'of the page (default: a free one)'
complete -c doorctl -n '__doorctl_in \'sim\'' -l keep -x -a '(__fish_complete_directories)' -d 'use this new folder and leave it there'
complete -c doorctl -n '__doorctl_in \'sim\'' -l sabotage -x -a 'alarm record tell' -d 'with --tour: break a promise, to see it fail'
complete -c doorctl -n '__doorctl_in \'completion\'' -s h -l help -d 'show this help message and exit'
complete -c doorctl -n '__doorctl_in \'completion\'' -l home -x -a '(__fish_complete_directories)' -d 'keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)'
complete -c doorctl -n '__doorctl_in \'completion\'' -l json -d 'print JSON, for scripts'
complete -c doorctl -n '__doorctl_at \'completion\' 0' -a 'bash zsh fish doors groups' -d 'SHELL'

"""Draws the completion of fish: one `complete` line for each thing that may stand somewhere."""

from collections.abc import Iterator
from typing import Final

from doorctl.cli.completion_tree import Command, Kind, Option, Value

_HEAD: Final = "# fish completion for doorctl; drawn by `doorctl completion fish`, do not edit\n"
_WALK: Final = r"""
function __doorctl_walk
    # the command of the line, then how many places are taken: `holder card 1`
    set -l path
    set -l place 0
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- (string join ' ' -- $path $word) $__doorctl_valued
            set skip 1
        else if string match -q -- '-*' $word
            continue
        else if contains -- (string join ' ' -- $path $word) $__doorctl_commands
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
    # of doors, groups or readers, of the installation that the line is about; of it only --home is used
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
"""
_PLAIN: Final = {
    Kind.NOTHING: "",
    Kind.TEXT: " -x",
    Kind.FILE: " -r -F",
    Kind.FOLDER: " -x -a '(__fish_complete_directories)'",
}


def fish_script(tree: Command) -> str:
    """What stands as `doorctl.fish` in a folder of completions."""
    return "\n".join([_HEAD.rstrip(), *_tables(tree)]) + "\n" + _WALK + "\n".join(_lines(tree)) + "\n"


def _tables(tree: Command) -> Iterator[str]:
    # by command: `init --monitor` takes a file, `backup --monitor` takes nothing
    valued = {
        " ".join((*command.path, flag))
        for command in tree.all()
        for option in command.options
        if option.value.kind is not Kind.NOTHING
        for flag in option.flags
    }
    yield f"set -g __doorctl_valued {' '.join(map(_quoted, sorted(valued)))}"
    yield f"set -g __doorctl_commands {' '.join(_quoted(' '.join(one.path)) for one in tree.all() if one.path)}"


def _lines(tree: Command) -> Iterator[str]:
    for command in tree.all():
        path = " ".join(command.path)
        here = f"complete -c doorctl -n {_quoted(f'__doorctl_in {_quoted(path)}')}"
        for option in command.options:
            yield f"{here} {_flags(option)}{_value(option.value)} -d {_quoted(option.help)}"
        for verb in command.verbs:
            there = f"complete -c doorctl -n {_quoted(f'__doorctl_at {_quoted(path)} 0')}"
            yield f"{there} -a {verb.path[-1]} -d {_quoted(verb.help)}"
        for number, place in enumerate(command.places):
            at = "'*'" if place.repeats else str(number)
            there = f"complete -c doorctl -n {_quoted(f'__doorctl_at {_quoted(path)} {at}')}"
            if words := _value(place.value).removeprefix(" -x").removeprefix(" -r"):
                yield f"{there}{words} -d {_quoted(place.value.name)}"


def _flags(option: Option) -> str:
    return " ".join(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags)


def _value(value: Value) -> str:
    match value.kind:
        case Kind.WORDS:
            return f" -x -a {_quoted(' '.join(value.words))}"
        case Kind.DOOR | Kind.GROUP | Kind.READER:
            return f" -x -a '(__doorctl_names {value.kind.value})'"
        case Kind.CARD:
            return " -x -a '(__doorctl_names doors | string replace -r ^ next@)'"
        case kind:
            return _PLAIN[kind]


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

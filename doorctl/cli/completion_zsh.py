"""Draws the completion of zsh: one function a command, each a call of zsh's own `_arguments`."""

from collections.abc import Iterator
from typing import Final

from doorctl.cli.completion_tree import Command, Kind, Option, Place, Value

_HEAD: Final = """\
#compdef doorctl
# zsh completion for doorctl; drawn by `doorctl completion zsh`, do not edit

_doorctl_names() {
    # of doors, groups or readers, of the installation that the line is about
    local -a names
    names=(${(f)"$(${~_doorctl_program} ${_doorctl_home:+--home=${~_doorctl_home}} completion $1 2>/dev/null)"})
    shift
    compadd "$@" -a names
}

_doorctl_doors() { _doorctl_names doors "$@" }

_doorctl_groups() { _doorctl_names groups "$@" }

_doorctl_readers() { _doorctl_names readers "$@" }

_doorctl_cards() {
    if compset -P 'next@'; then
        _doorctl_doors "$@"
    else
        compadd -S '' "$@" next@
    fi
}
"""
_TAIL: Final = """
_doorctl() {
    local _doorctl_program=$words[1] _doorctl_home= at
    for ((at = 2; at < CURRENT; at++)); do
        case $words[at] in
        --home) _doorctl_home=$words[at+1] ;;
        --home=*) _doorctl_home=${words[at]#*=} ;;
        esac
    done
    _doorctl_at
}

# read as a file of $fpath it is called at once, sourced it tells the shell of itself
if [[ $funcstack[1] == _doorctl ]]; then
    _doorctl "$@"
else
    compdef _doorctl doorctl
fi
"""


def zsh_script(tree: Command) -> str:
    """What stands as `_doorctl` in a folder of $fpath."""
    return _HEAD + "".join(f"\n{_function(command)}" for command in tree.all()) + _TAIL


def _function(command: Command) -> str:
    lines = [f"{_name(command)}() {{"]
    if command.verbs:
        lines += ["    local curcontext=$curcontext context state line", "    typeset -A opt_args"]
    specifications = [*map(_option, command.options), *_places(command)]
    if command.verbs:
        specifications += ["'1:command:->verb'", "'*::arguments:->rest'"]
    # -A: what stands behind a verb is the verb's to read
    begin = "_arguments -C -A '-*'" if command.verbs else "_arguments"
    lines += [f"    {begin} \\", *(f"        {one} \\" for one in specifications[:-1]), f"        {specifications[-1]}"]
    if command.verbs:
        lines += _descent(command)
    return "\n".join([*lines, "}"]) + "\n"


def _descent(command: Command) -> Iterator[str]:
    yield "    case $state in"
    yield "    verb)"
    yield "        local -a verbs=("
    yield from (f"            {_quoted(f'{verb.path[-1]}:{verb.help}')}" for verb in command.verbs)
    yield from ("        )", "        _describe command verbs", "        ;;")
    yield "    rest)"
    yield "        case $line[1] in"
    yield from (f"        {verb.path[-1]}) {_name(verb)} ;;" for verb in command.verbs)
    yield from ("        esac", "        ;;", "    esac")


def _option(option: Option) -> str:
    flags = option.flags
    # one of the group shuts out the others, --help everything
    apart = "(- *)" if "--help" in flags or "--version" in flags else "" if option.repeats else f"({' '.join(flags)})"
    takes = "" if option.value.kind is Kind.NOTHING else f":{option.value.name}:{_action(option.value)}"
    text = f"[{_escaped(option.help)}]{takes}"
    star = "*" if option.repeats else ""
    one, *more = ((f"{flag}=" if takes and flag.startswith("--") else flag) for flag in flags)
    if more:
        return _quoted(apart + star) + "{" + ",".join((one, *more)) + "}" + _quoted(text)
    return _quoted(f"{apart}{star}{one}{text}")


def _places(command: Command) -> Iterator[str]:
    for number, place in enumerate(command.places, start=1):
        yield _quoted(f"{_which(number, place)}:{_escaped(place.value.name)}:{_action(place.value)}")


def _which(number: int, place: Place) -> str:
    if place.repeats:
        return "*"
    return f"{number}:" if place.optional else str(number)


def _action(value: Value) -> str:
    match value.kind:
        case Kind.WORDS:
            return f"({' '.join(value.words)})"
        case Kind.FILE:
            return "_files"
        case Kind.FOLDER:
            return "_files -/"
        case Kind.DOOR | Kind.GROUP | Kind.READER:
            return f"_doorctl_{value.kind.value}"
        case Kind.CARD:
            return "_doorctl_cards"
        case _:
            return " "


def _name(command: Command) -> str:
    return "_".join(("_doorctl_at", *command.path))


def _escaped(text: str) -> str:
    """For the parts of a specification, which colons and brackets end."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"

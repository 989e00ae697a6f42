"""Draws the completion of bash: two tables made from the tree, and a walk along the line that reads them.

Names from the configuration are compared, never expanded: `compgen -W` would run what a `$(…)` in them says.
Needs bash 4.4 and no bash-completion package.
"""

from collections.abc import Iterator
from typing import Final

from doorctl.cli.completion_tree import Command, Kind, Value

_HEAD: Final = "# bash completion for doorctl; drawn by `doorctl completion bash`, do not edit\n"
_WALK: Final = r"""
__doorctl_names() {
    # those of the installation that the line is about; its ~ is not expanded yet
    local program=${words[0]/#\~/$HOME}
    "$program" ${home:+--home "${home/#\~/$HOME}"} completion "$1" 2>/dev/null
}

__doorctl_offer() {
    # the lines of standard input that begin with $1
    local word
    while IFS= read -r word; do
        [[ $word == "$1"* ]] && COMPREPLY+=("$word")
    done
}

__doorctl_value() {
    # what begins with $1 and is of kind $2; the right words follow
    local files=-f
    case $2 in
    words) __doorctl_offer "$1" < <(printf '%s\n' "${@:3}") ;;
    doors | groups | readers) __doorctl_offer "$1" < <(__doorctl_names "$2") ;;
    card)
        # readline replaces the @ and what stands behind it
        if [[ $1 == next@* ]]; then
            __doorctl_offer "${1#next}" < <(__doorctl_names doors | while read -r word; do echo "@$word"; done)
        else
            compopt -o nospace
            __doorctl_offer "$1" <<<next@
        fi
        ;;
    file | folder)
        [[ $2 == folder ]] && files=-d
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen $files -- "$1")
        ;;
    esac
}

__doorctl_words() {
    # the line up to the cursor, joined again where bash broke a word at = : or @
    local word at glue=''
    for ((at = 0; at <= COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        if [[ ${#words[@]} -gt 1 && ($glue || $word == [=:@]*) ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
        glue=''
        [[ $word == [=:@] ]] && glue=yes
    done
}

_doorctl() {
    local words=() verbs=() options=() places=() takes=() home='' path='' last='' place=0 word current
    COMPREPLY=()
    __doorctl_words
    current=${words[-1]}
    __doorctl_at ''
    for word in "${words[@]:1:${#words[@]}-2}"; do
        if [[ $last ]]; then
            [[ $last == --home ]] && home=$word
            last=''
        elif [[ $word == --*=* ]]; then
            [[ $word == --home=* ]] && home=${word#*=}
        elif [[ $word == -* ]]; then
            __doorctl_takes "$path $word"
            [[ ${takes[0]} ]] && last=$word
        elif [[ " ${verbs[*]} " == *" $word "* ]]; then
            path=${path:+$path }$word
            __doorctl_at "$path"
        else
            place=$((place + 1))
        fi
    done
    if [[ $last ]]; then
        __doorctl_takes "$path $last"
        __doorctl_value "$current" "${takes[@]}"
    elif [[ $current == --*=* ]]; then
        __doorctl_takes "$path ${current%%=*}"
        __doorctl_value "${current#*=}" "${takes[@]}"
    elif [[ $current == -* ]]; then
        __doorctl_value "$current" words "${options[@]}"
    elif [[ ${#verbs[@]} -gt 0 ]]; then
        __doorctl_value "$current" words "${verbs[@]}"
    else
        # the last place stands for all that follow where it repeats
        [[ $place -ge ${#places[@]} && ${places[-1]} == *+ ]] && place=$((${#places[@]} - 1))
        # a place is a kind and words, apart by spaces: neither has any inside
        # shellcheck disable=SC2086
        [[ ${places[place]} ]] && __doorctl_value "$current" ${places[place]%+}
    fi
}

complete -F _doorctl doorctl
"""


def bash_script(tree: Command) -> str:
    """What `source` wants."""
    return _HEAD + "\n".join([*_at(tree), "", *_takes(tree)]) + "\n" + _WALK


def _at(tree: Command) -> Iterator[str]:
    yield "__doorctl_at() {"
    yield "    # what may stand next after the command $1"
    yield "    verbs=() places=()"
    yield "    case $1 in"
    for command in tree.all():
        flags = [flag for option in command.options for flag in option.flags]
        yield f"    {_quoted(' '.join(command.path))})"
        yield f"        options=({' '.join(flags)})"
        if command.verbs:
            yield f"        verbs=({' '.join(verb.path[-1] for verb in command.verbs)})"
        if command.places:
            places = (f"{_kind(place.value)}{'+' if place.repeats else ''}" for place in command.places)
            yield f"        places=({' '.join(map(_quoted, places))})"
        yield "        ;;"
    yield from ("    esac", "}")


def _takes(tree: Command) -> Iterator[str]:
    yield "__doorctl_takes() {"
    yield "    # what an option takes; $1 is the command and the option"
    yield "    takes=()"
    yield "    case $1 in"
    for command in tree.all():
        for option in command.options:
            if option.value.kind is not Kind.NOTHING:
                names = " | ".join(_quoted(f"{' '.join(command.path)} {flag}") for flag in option.flags)
                yield f"    {names}) takes=({_kind(option.value)}) ;;"
    yield from ("    esac", "}")


def _kind(value: Value) -> str:
    return " ".join((value.kind.value, *value.words))


def _quoted(text: str) -> str:
    return f"'{text}'"

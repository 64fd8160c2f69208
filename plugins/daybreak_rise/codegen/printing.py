"""A kernel's source from its imperative program, in any dialect."""

from __future__ import annotations

from daybreak_rise.codegen.index import Index, Variable, of
from daybreak_rise.codegen.ir import (
    Allocate,
    Barrier,
    Block,
    Buffer,
    Define,
    For,
    Guard,
    ParallelFor,
    Space,
    Statement,
    Store,
    blocks,
    statements,
)
from daybreak_rise.codegen.tidy import values_of
from daybreak_rise.codegen.values import (
    Inside,
    Load,
    Operation,
    Value,
    loads,
)
from daybreak_rise.codegen.words import Scope, Words, aligned

__all__ = ["Printer"]


class Printer(Words):
    """Prints one kernel."""

    # ---- statements

    def body(self, block: Block) -> list[str]:
        """Return the lines of a kernel's body, indented once."""
        for one in statements(block):
            if isinstance(one, Allocate) and one.buffer.space is Space.LOCAL:
                self.scopes[0].header.append("  " + self.dialect.local(one.buffer))
        self.block(block)
        (scope,) = self.scopes
        return scope.header + scope.lines

    def line(self, text: str) -> None:
        """Append a line."""
        self.scopes[-1].lines.append("  " * len(self.scopes) + text)

    def block(self, block: Block) -> None:
        """Print statements."""
        body = block.statements
        skip = False
        for number, one in enumerate(body):
            if skip:
                skip = False
            elif isinstance(one, Allocate) and self._begins(one.buffer, body[number + 1 :]):
                skip = True
            else:
                self.statement(one)

    def _begins(self, buffer: Buffer, after: list[Statement]) -> bool:
        """Declare a single register with its first value, if that comes right after."""
        width = self.registers.widths.get(buffer)
        if width != buffer.length or not after:
            return False
        first = after[0]
        if not isinstance(first, Store) or first.buffer is not buffer:
            return False
        if first.value.width != width or any(x.buffer is buffer for x in loads(first.value)):
            return False
        kind = self.dialect.type(buffer.scalar, width)
        self.line(f"{kind} {buffer.name} = {self.text(first.value)};")
        return True

    def statement(self, one: Statement) -> None:
        """Print a statement."""
        match one:
            case Store():
                self._store(one)
            case Define():
                self._define(one)
            case For():
                self._for(one)
            case ParallelFor():
                self._parallel(one)
            case Guard():
                self._guard(one)
            case Allocate():
                self._allocate(one.buffer)
            case Barrier():
                text = self.dialect.barrier(one)
                if text:
                    self.line(text)
            case Block():
                self.block(one)

    def _open(self, text: str) -> None:
        self.line(text)
        self.scopes.append(Scope())

    def _close(self, text: str = "}") -> None:
        scope = self.scopes.pop()
        below = self.scopes[-1].lines
        below += scope.header
        below += scope.lines
        if text:
            self.line(text)

    def _allocate(self, buffer: Buffer) -> None:
        if buffer.space is not Space.PRIVATE:
            return
        width = self.registers.widths.get(buffer)
        if width is None:
            self.dialect.type(buffer.scalar)
            self.line(self.dialect.array(buffer))
            return
        unread = self.registers.unread.get(buffer, frozenset())
        numbers = [n for n in range(buffer.length // width) if n not in unread]
        names = [self._element(buffer, n) for n in numbers]
        kind = self.dialect.type(buffer.scalar, width)
        for start in range(0, len(names), 16):
            self.line(f"{kind} {', '.join(names[start : start + 16])};")

    def _define(self, one: Define) -> None:
        kind = self.dialect.type(one.register.scalar, one.register.width)
        name = one.register.name
        if one.value is None:
            self.declared.add(one.register)
            self.line(f"{kind} {name};")
        elif one.register in self.declared:
            self.line(f"{name} = {self.text(one.value)};")
        else:
            self.line(f"const {kind} {name} = {self.text(one.value)};")

    def _store(self, one: Store) -> None:
        if self._for_nobody(one):
            return
        width = one.value.width
        if isinstance(one.value, Operation) and one.value.name in ("add", "mul"):
            first, *rest = one.value.arguments
            if self._same(first, one) and len(rest) == 1:
                if self._number_of(rest[0]) == (0 if one.value.name == "add" else 1):
                    return  # the same again: a term with the weight 0
                target = None if self._neutral(one.value) else self._target(one)
                if target is not None:
                    sign = "+=" if one.value.name == "add" else "*="
                    self.line(f"{target} {sign} {self.text(rest[0])};")
                    return
        value = self.text(one.value)
        target = self._target(one)
        if target is not None:
            self.line(f"{target} = {value};")
        else:
            offset = self.offset(one.offset)
            whole = aligned(one.offset, width)
            self.line(self.dialect.store(one.buffer, offset, value, width, whole))

    def _for_nobody(self, one: Store) -> bool:
        """Return whether a store goes to a register that is never read."""
        unread = self.registers.unread.get(one.buffer)
        if unread is None:
            return False
        return one.offset.replaced(self.now).rest // self.registers.widths[one.buffer] in unread

    def _same(self, value: Value, store: Store) -> bool:
        return (
            isinstance(value, Load)
            and value.buffer is store.buffer
            and value.width == store.value.width
            and value.offset == store.offset
        )

    def _target(self, one: Store) -> str | None:
        """Return what a store assigns to; None where a vector goes to memory."""
        width = one.value.width
        if one.buffer in self.registers.widths:
            return self._register(one.buffer, one.offset, width)
        if width == 1:
            return f"{one.buffer.name}[{self.offset(one.offset)}]"
        return None

    def _guard(self, one: Guard) -> None:
        known = self._known(one.test)
        if known is not None:
            chosen = one.body if known else one.other
            if chosen is not None:
                self.block(chosen)
            return
        self._open(f"if ({self.text(one.test)}) {{")
        self.block(one.body)
        if one.other is not None:
            self._close("")
            self._open("} else {")
            self.block(one.other)
        self._close()

    # ---- loops

    def _for(self, one: For) -> None:
        size = one.variable.size
        if id(one) in self.registers.unrolled:
            self._written_out(one.body, [{one.variable: Index((), n)} for n in range(size)])
            return
        if one.unroll:
            self.line(self.dialect.unroll(size))
        shared = self.dialect.threads() if one.threads else None
        if shared is not None:
            self.line(shared)
        name = self._named(one.variable, "i")
        self._open(f"for (int {name} = 0; {name} < {size}; ++{name}) {{")
        self.depths[one.variable] = len(self.scopes) - 1
        self.block(one.body)
        self._close()

    def _parallel(self, one: ParallelFor) -> None:
        size, count = one.variable.size, one.count
        rounds = one.turn.size
        place = of(one.place)
        if id(one) in self.registers.unrolled or rounds == 1:
            self._turns(one, place, rounds)
            return
        name = self._named(one.variable, one.variable.name)
        if one.ragged or self._counts_turns(one):
            turn = self._named(one.turn, "k")
            self._open(f"for (int {turn} = 0; {turn} < {rounds}; ++{turn}) {{")
            self.depths[one.turn] = len(self.scopes) - 1
            index = self.number(place + of(one.turn, count))
            self.line(f"const int {name} = {index};")
            self.depths[one.variable] = len(self.scopes) - 1
            guarded = not one.ragged and not one.whole
            # a scope of its own: what is named at its top may use the index
            if guarded:
                self._open(f"if ({name} < {size}) {{")
            else:
                self._open("{")
            self.depths[one.variable] = len(self.scopes) - 1
            self.block(one.body)
            self._close()
            self._close()
            return
        start = self.number(place)
        self._open(f"for (int {name} = {start}; {name} < {size}; {name} += {count}) {{")
        self.depths[one.variable] = len(self.scopes) - 1
        self.block(one.body)
        self._close()

    def _turns(self, one: ParallelFor, place: Index, rounds: int) -> None:
        """Write a parallel loop out, with a guard around turns that not all work-items take."""
        full = []
        self.copies += rounds > 1
        for turn in range(rounds):
            index = place + one.count * turn
            values = {one.variable: index, one.turn: Index((), turn)}
            if (turn + 1) * one.count <= one.variable.size or one.ragged:
                full.append(values)
                continue
            self._written_out(one.body, full)
            full = []
            self._open(f"if ({self.text(Inside(index, 0, one.variable.size))}) {{")
            self._with(one.body, values)
            self._close()
        self._written_out(one.body, full)
        self.copies -= rounds > 1

    def _counts_turns(self, one: ParallelFor) -> bool:
        for statement in statements(one.body):
            indices = [statement.offset] if isinstance(statement, Store) else []
            variables = {v for i in indices for v in i.variables()}
            for value in values_of(statement):
                variables.update(value.variables())
            if one.turn in variables:
                return True
        return False

    def _written_out(self, body: Block, turns: list[dict[Variable, Index]]) -> None:
        several = len(turns) > 1
        braces = several and self._declares(body)
        self.copies += several
        for values in turns:
            if braces:
                self._open("{")
            self._with(body, values)
            if braces:
                self._close()
        self.copies -= several

    def _declares(self, block: Block) -> bool:
        """Return whether names are declared in a block, or in what is printed without braces in it."""
        for one in block.statements:
            if isinstance(one, Define | Allocate):
                return True
            bare = isinstance(one, Block | Guard) or (
                isinstance(one, ParallelFor)
                and (one.turn.size == 1 or id(one) in self.registers.unrolled)
            )
            if bare and any(self._declares(inner) for inner in blocks(one)):
                return True
        return False

    def _with(self, body: Block, values: dict[Variable, Index]) -> None:
        before = self.now
        self.now = {**before, **values}
        self.block(body)
        self.now = before

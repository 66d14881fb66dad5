"""The commands of the cost explorer."""

from __future__ import annotations

from tui.commands import Command

COSTS_KEYS = (
    Command("v", "edit('vcpus')", "Request", "Edit the request: here the vCPUs.", footer=True, shown="v m d n"),
    Command("m", "edit('memory')", "Memory", "Edit the memory: a number is GiB, or write a unit."),
    Command("d", "edit_devices", "Devices", "Edit the number of devices; again for the next type."),
    Command("n", "edit('count')", "Count", "Edit how many such VMs are placed."),
    Command("e", "edit_function", "What if", "What if: edit the cost function of the chosen host.", footer=True),
    Command("f", "choose_function", "Function", "What if: edit another cost function."),
    Command("h", "change_host", "Host", "What if the chosen host were in another state, gone, or had other VMs.",
            footer=True),
    Command("a", "add_vms", "Add VMs", "What if the VMs of the request ran where placement puts them."),
    Command("u", "undo", "Undo", "Undo the last step of the what-if.", footer=True),
    Command("U,ctrl+r", "redo", "Redo", "Redo what was undone last.", shown="U"),
    Command("r", "reset", "Reset", "Take every change of the what-if back, as one step that can be undone."),
    Command("c", "list_changes", "Changes", "List the changes of the what-if, and take single ones back."),
    Command("x", "export", "Export", "Export the what-if: as lines for the configuration, and as a command.",
            footer=True),
    Command("plus,equals_sign", "step(1)", "Change", "More, or less, of the field edited last.",
            footer=True, shown="+ -"),
    Command("minus", "step(-1)", "Less", "Less of the field edited last.", shown="-"),
    Command("right_square_bracket", "turn(1)", "Curve", "Show another curve, as ] and [ do.",
            footer=True, shown="← →"),
    Command("left_square_bracket", "turn(-1)", "Curve before", "Show the curve before.", shown="["),
    Command("z", "zoom", "Zoom", "Give the chosen host the whole screen, or take it back."),
)  # fmt: skip

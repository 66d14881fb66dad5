"""The commands of the cost explorer."""

from tui.commands import Command

COSTS_KEYS = (
    Command("v", "edit('vcpus')", "Request", "Edit the request: vCPUs.", footer=True, shown="v m d n"),
    Command("m", "edit('memory')", "Memory", "Edit the memory (GiB, or with a unit)."),
    Command("d", "edit_devices", "Devices", "Edit the device count; again for the next type."),
    Command("n", "edit('count')", "Count", "Edit the number of VMs."),
    Command("e", "edit_function", "What if", "What if: edit the cost function of the selected host.", footer=True),
    Command("f", "choose_function", "Function", "What if: edit another cost function."),
    Command("h", "change_host", "Host", "What if the selected host had another state, were gone, or ran other VMs.",
            footer=True),
    Command("a", "add_vms", "Add VMs", "What if the requested VMs were placed."),
    Command("u", "undo", "Undo", "Undo the last step of the what-if.", footer=True),
    Command("U,ctrl+r", "redo", "Redo", "Redo the last undone step.", shown="U"),
    Command("r", "reset", "Reset", "Reset all changes of the what-if (can be undone)."),
    Command("c", "list_changes", "Changes", "List the changes of the what-if and revert single ones."),
    Command("x", "export", "Export", "Export the what-if as configuration and as a command.",
            footer=True),
    Command("plus,equals_sign", "step(1)", "Change", "Increase or decrease the last edited field.",
            footer=True, shown="+ -"),
    Command("minus", "step(-1)", "Less", "Decrease the last edited field.", shown="-"),
    Command("right_square_bracket", "turn(1)", "Curve", "Show another curve (also ] and [).",
            footer=True, shown="← →"),
    Command("left_square_bracket", "turn(-1)", "Previous curve", "Show the previous curve.", shown="["),
    Command("z", "zoom", "Zoom", "Show the selected host full-screen."),
)  # fmt: skip

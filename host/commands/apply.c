#include "commands.h"
static int run(int argc, char **argv) { (void)argc; (void)argv; return 70; }
const Command command_apply = {"apply", "Run a role of a trained model over data.", run};

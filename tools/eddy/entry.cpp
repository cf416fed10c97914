#include "tools/eddy/commands.h"

int main(int argc, char** argv) { return eddy::tool::command(argc, argv); }

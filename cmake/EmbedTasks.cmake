# cmake -DFOLDER=... -DOUTPUT=... -P EmbedTasks.cmake: every FOLDER/NAME.yaml and NAME.suite.yaml as text in a C++ file.
file(GLOB files ${FOLDER}/*.yaml)
list(SORT files)
set(tasks "")
set(suites "")
foreach(file ${files})
  get_filename_component(name ${file} NAME)
  file(READ ${file} text)
  if(name MATCHES "^(.*)\\.suite\\.yaml$")
    string(APPEND suites "    {\"${CMAKE_MATCH_1}\", R\"YAML(${text})YAML\"},\n")
  else()
    string(REGEX REPLACE "\\.yaml$" "" name ${name})
    string(APPEND tasks "    {\"${name}\", R\"YAML(${text})YAML\"},\n")
  endif()
endforeach()
file(WRITE ${OUTPUT}.new "// Made by cmake/EmbedTasks.cmake.
#include \"core/evaluate/tasks/task_library.h\"

namespace tersor {
namespace {

constexpr BuiltinFile kTasks[] = {
${tasks}};

constexpr BuiltinFile kSuites[] = {
${suites}};

}  // namespace

std::span<const BuiltinFile> BuiltinTaskFiles() { return kTasks; }

std::span<const BuiltinFile> BuiltinSuiteFiles() { return kSuites; }

}  // namespace tersor
")
file(RENAME ${OUTPUT}.new ${OUTPUT})
